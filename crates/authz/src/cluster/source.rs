//! The requests about one kind.
use super::{failure::Failure, kind::Kind, timing::Timing, version::Version};
use futures::{Stream, StreamExt};
use kube::{
    Client,
    api::{ListParams, WatchEvent, WatchParams},
    core::request::Request,
};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// How many objects a page of a list has.
const PAGE: u32 = 500;

/// Where one kind is heard of.
pub(super) struct Source {
    pub(super) kind: Kind,
    pub(super) timing: Timing,
    client: Client,
}

#[derive(Deserialize)]
struct Page {
    metadata: PageMeta,
    /// Objects as they are, since one that cannot be read must not stand for all.
    items: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMeta {
    resource_version: Option<String>,
    r#continue: Option<String>,
}

impl Page {
    fn version(&self) -> Result<Version, Failure> {
        let version = self.metadata.resource_version.clone().and_then(Version::new);
        version.ok_or_else(|| Failure::Strange("a list has no resourceVersion".into()))
    }
}

impl Source {
    pub(super) fn new(kind: Kind, timing: Timing, client: Client) -> Self {
        Self { kind, timing, client }
    }

    /// How far the cluster has come. It is read through to the store of the API server, since one that is cut off from
    /// it would otherwise answer from memory.
    pub(super) async fn probe(&self) -> Result<Version, Failure> {
        let request = self.request().list_metadata(&ListParams::default().limit(1));
        self.get(request, self.timing.answer()).await?.version()
    }

    /// All objects, page by page, and the version of which they all are.
    pub(super) async fn list(&self, mut each: impl FnMut(Value)) -> Result<Version, Failure> {
        let mut next = None;
        loop {
            let params = ListParams { limit: Some(PAGE), continue_token: next, ..ListParams::default() };
            let page = self.get(self.request().list(&params), self.timing.page()).await?;
            let version = page.version()?;
            page.items.into_iter().flatten().for_each(&mut each);
            next = page.metadata.r#continue.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(version);
            }
        }
    }

    /// What happens after `version`.
    pub(super) async fn watch(
        &self,
        version: &Version,
    ) -> Result<impl Stream<Item = Result<WatchEvent<Value>, Failure>> + use<>, Failure> {
        let params = WatchParams { timeout: Some(self.timing.asked()), bookmarks: true, ..WatchParams::default() };
        let request = self.request().watch(&params, version.as_str()).map_err(kube::Error::BuildRequest)?;
        let patience = self.timing.answer();
        let answer = timeout(patience, self.client.request_events(request)).await;
        let events = answer.map_err(|_| Failure::Late(patience))??;
        Ok(events.map(|event| event.map_err(Failure::from)))
    }

    fn request(&self) -> Request {
        Request::new(self.kind.path())
    }

    async fn get(
        &self,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
        patience: Duration,
    ) -> Result<Page, Failure> {
        let request = request.map_err(kube::Error::BuildRequest)?;
        let answer = timeout(patience, self.client.request(request)).await;
        Ok(answer.map_err(|_| Failure::Late(patience))??)
    }
}
