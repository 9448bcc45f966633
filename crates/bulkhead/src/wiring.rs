//! Joins parts that do not know each other, a newtype a joint.
use crate::audit;
use access::Grant;
use api::access::{
    resource::Runs,
    verb::{Get, ReadArtifact},
};
use authz::{KnownToken, Tokens};
use domain::{Code, Error, Namespace, Result, RunId, Task};
use futures::future::BoxFuture;
use server::Contents;
use std::fmt;
use store::Store;

/// The tokens of the store, for authentication.
pub(crate) struct StoredTokens(pub(crate) Store);

impl Tokens for StoredTokens {
    fn revocations(&self) -> u64 {
        self.0.revocations()
    }

    fn find<'a>(&'a self, secret: &'a str) -> BoxFuture<'a, Result<Option<KnownToken>>> {
        Box::pin(async move {
            let token = self.0.token_by_secret(secret).await?;
            Ok(token.map(|token| KnownToken {
                id: token.id,
                user: token.user,
                scope: token.scope,
                groups: token.groups,
                expires_at: token.expires_at,
                revoked: token.revoked_at.is_some(),
            }))
        })
    }
}

/// Packages by URL.
pub(crate) enum Urls {
    On(fetch::Fetcher),
    Off,
}

impl server::Fetch for Urls {
    fn fetch<'a>(&'a self, url: &'a str, longest: usize) -> BoxFuture<'a, Result<server::Fetched>> {
        Box::pin(async move {
            let Urls::On(fetcher) = self else {
                return Err(Error::precondition(
                    "pipelines are not fetched from URLs here (pipelines.url.enabled is false in the server's \
                     configuration): download the package and upload it",
                ));
            };
            let fetch::Fetched { filename, content } = fetcher.fetch(url, longest).await?;
            Ok(server::Fetched { filename, content })
        })
    }
}

/// What the services know of the executor.
pub(crate) enum Runner {
    Local(executor::local::Handle),
    /// Another server that has this database executes them, and looks for them by itself.
    Elsewhere(String),
    /// Runs cannot be executed here, for this reason.
    Absent(String),
}

impl fmt::Display for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(_) => f.write_str("they can"),
            Self::Elsewhere(why) | Self::Absent(why) => f.write_str(why),
        }
    }
}

impl server::Executor for Runner {
    fn ready(&self) -> Result<()> {
        match self {
            Runner::Local(_) | Runner::Elsewhere(_) => Ok(()),
            Runner::Absent(why) => {
                Err(Error::new(Code::FailedPrecondition, format!("this server runs no tasks: {why}")))
            }
        }
    }

    fn wake(&self, namespace: &Namespace, run: &RunId) {
        if let Runner::Local(handle) = self {
            let (request_id, span) = (audit::request_id(), audit::request_span());
            handle.wake_for(namespace, run, executor::local::Cause { request_id, span });
        }
    }
}

/// The files of tasks. They can be read also where no tasks run any more.
pub(crate) struct TaskFiles(pub(crate) executor::local::Files);

impl server::Files for TaskFiles {
    fn log(&self, grant: &Grant<Get, Runs>, task: &Task, attempt: u32) -> Result<Option<Contents>> {
        Ok(self.0.log(grant, task, attempt)?.map(|file| Box::new(file) as Contents))
    }

    fn artifact(&self, grant: &Grant<ReadArtifact, Runs>, task: &Task, name: &str) -> Result<Contents> {
        Ok(Box::new(self.0.artifact(grant, task, name)?))
    }
}
