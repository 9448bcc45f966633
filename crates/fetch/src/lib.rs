//! Fetches files that callers name by URL, without being led where only this server can go.
//!
//! A URL, and each one that it redirects to, must be of an allowed scheme, host and port. The connection goes to an
//! address that was looked up and checked here, so a name that changes its mind in between gains nothing.
mod address;
mod resolve;
mod rules;

use domain::{Error, Result};
use reqwest::{Client, Response, StatusCode, Url, header::LOCATION, redirect};
use resolve::{Checked, NotAllowed};
use std::{error::Error as _, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

pub use rules::Rules;

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 10;
/// How many files are fetched at one time: each is held in memory, and a name that is looked up holds a thread.
const AT_A_TIME: usize = 4;
/// What a caller hears of all that is not allowed: more would tell of the network inside.
const REFUSED: &str = "the URL is not allowed here; pipelines.url of the server's configuration says what is";

/// A client that keeps to the rules. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client,
    rules: Arc<Rules>,
    turns: Arc<Semaphore>,
    timeout: Duration,
}

/// A file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The last part of the path of the URL that was asked for.
    pub filename: String,
    pub content: Vec<u8>,
}

impl Fetcher {
    /// A fetcher that spends at most `timeout` on a file, with redirects and all.
    ///
    /// # Errors
    /// If the client cannot be made, such as when this host has no certificates of authorities.
    pub fn new(rules: Rules, timeout: Duration) -> Result<Self, reqwest::Error> {
        // Somebody else in the process may have chosen a provider before; theirs serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let rules = Arc::new(rules);
        let client = Client::builder()
            .user_agent(concat!("bulkhead/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Checked(rules.clone()))
            // Redirects are followed below, where each can be checked.
            .redirect(redirect::Policy::none())
            // A proxy would look names up itself.
            .no_proxy()
            .referer(false)
            // A connection that is used again was checked for another request.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { client, rules, turns: Arc::new(Semaphore::new(AT_A_TIME)), timeout })
    }

    /// The file at `url`, of at most `longest` bytes.
    ///
    /// # Errors
    /// `InvalidArgument` for a URL that is not one, is not allowed or has no such file; `Unavailable` for a server
    /// that does not answer.
    pub async fn fetch(&self, url: &str, longest: usize) -> Result<Fetched> {
        let url = Url::parse(url).map_err(|error| Error::invalid(format!("the URL is not understood: {error}")))?;
        let filename = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default().to_owned();
        let late = |error| Error::unavailable(format!("the package did not come within {:?}", self.timeout), error);
        let content = tokio::time::timeout(self.timeout, self.follow(url, longest)).await.map_err(late)??;
        Ok(Fetched { filename, content })
    }

    async fn follow(&self, mut url: Url, longest: usize) -> Result<Vec<u8>> {
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        for _ in 0..=MAX_REDIRECTS {
            if !self.rules.allow(&url) {
                return Err(refused(&url));
            }
            let response = self.client.get(url.clone()).send().await.map_err(|error| failed(&url, error))?;
            match response.status() {
                StatusCode::OK => return content(response, longest).await,
                status if status.is_redirection() => url = target(&response)?,
                status => {
                    return Err(Error::invalid(format!("there is no package: the server there answers {status}")));
                }
            }
        }
        Err(Error::invalid(format!("the URL leads to more than {MAX_REDIRECTS} redirects")))
    }
}

/// Where a redirect leads, as seen from the URL that answered it.
fn target(response: &Response) -> Result<Url> {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = location.and_then(|location| response.url().join(location).ok());
    target.ok_or_else(|| Error::invalid("the server there answers a redirect that leads nowhere"))
}

async fn content(mut response: Response, longest: usize) -> Result<Vec<u8>> {
    let too_long = || Error::invalid(format!("the package has more than the {longest} bytes that are allowed"));
    let declared = response.content_length().and_then(|length| usize::try_from(length).ok());
    if declared.is_some_and(|length| length > longest) {
        return Err(too_long());
    }
    let mut content = Vec::new();
    let broke = |error| Error::unavailable("the package broke off while it came", error);
    while let Some(chunk) = response.chunk().await.map_err(broke)? {
        if content.len() + chunk.len() > longest {
            return Err(too_long());
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

/// An error of the client: the caller hears what it is about, the log the rest.
fn failed(url: &Url, error: reqwest::Error) -> Error {
    let mut causes = std::iter::successors(error.source(), |cause| (*cause).source());
    if causes.any(|cause| cause.is::<NotAllowed>()) {
        return refused(url);
    }
    // The URL may hold a secret, and is known to the caller anyway.
    Error::unavailable("the package cannot be fetched: the server there cannot be reached", error.without_url())
}

fn refused(url: &Url) -> Error {
    tracing::warn!(host = url.host_str(), port = url.port(), scheme = url.scheme(), "a URL is not allowed");
    Error::invalid(REFUSED)
}
