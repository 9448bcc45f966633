//! Hears of one kind, for ever.
use super::{
    apply::{Heard, Message},
    failure::Failure,
    kind::Kind,
    object,
    source::Source,
    timing::Pause,
    version::Version,
};
use futures::TryStreamExt;
use kube::api::WatchEvent;
use serde_json::Value;
use std::{collections::BTreeMap, pin::pin, time::Instant};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

/// Why which kinds cannot be heard of.
pub(super) type Problems = BTreeMap<Kind, String>;

/// Follows one kind.
pub(super) struct Watch {
    source: Source,
    to: mpsc::Sender<Message>,
    problems: watch::Sender<Problems>,
    /// Where the next watch goes on; `None` to list all objects first.
    place: Option<Version>,
}

impl Watch {
    pub(super) fn new(source: Source, to: mpsc::Sender<Message>, problems: watch::Sender<Problems>) -> Self {
        Self { source, to, problems, place: None }
    }

    /// Lists, watches, and begins again, until nobody listens.
    pub(super) async fn run(mut self) {
        let mut pause = Pause::new(self.source.timing);
        loop {
            let began = Instant::now();
            let ended = self.round().await;
            let failed = match ended {
                Ok(()) => began.elapsed() < self.source.timing.short(),
                Err(Failure::Ended) => return,
                Err(failure) => {
                    if failure.loses_place() {
                        self.place = None;
                    }
                    self.troubled(&failure);
                    true
                }
            };
            if failed {
                sleep(pause.next()).await;
            } else {
                pause.reset();
            }
        }
    }

    /// One watch, from the request that shows that the API server is alive to its end.
    async fn round(&mut self) -> Result<(), Failure> {
        let sent = Instant::now();
        let (from, there) = match self.place.take() {
            None => {
                let version = self.list().await?;
                self.current(sent).await?;
                (version.clone(), version)
            }
            Some(seen) => {
                // It is where to go on again if this fails.
                let seen = self.place.insert(seen).clone();
                let there = self.source.probe().await?;
                if there.is_before(&seen) {
                    return Err(Failure::Back { seen, there });
                }
                (seen, there)
            }
        };
        self.place = Some(from.clone());
        let events = self.source.watch(&from).await?;
        // Whatever was done before the probe comes by this watch, and at once.
        self.current(sent).await?;
        let (mut events, mut marked, longest) = (pin!(events), None, self.source.timing.watch());
        let follow = async {
            while let Some(event) = events.try_next().await? {
                self.hear(event, &mut marked).await?;
            }
            Ok::<(), Failure>(())
        };
        match timeout(longest, follow).await {
            Ok(ended) => ended?,
            Err(_) => tracing::debug!(resource = self.source.kind.resource(), "a watch was given up that did not end"),
        }
        // The API server that answered the probe need not be the one that has the watch.
        match marked {
            Some(seen) if seen.is_before(&there) => return Err(Failure::Behind { seen, there }),
            Some(_) => {}
            // Nothing came by it that is as late as what the probe saw: perhaps nothing was done to this kind, and
            // perhaps something between here and there keeps all that would come. Only a list can tell.
            None => self.place = self.place.take().filter(|seen| !seen.is_before(&there)),
        }
        Ok(())
    }

    async fn list(&mut self) -> Result<Version, Failure> {
        let (kind, mut objects) = (self.source.kind, Vec::new());
        let version = self.source.list(|value| objects.extend(read(kind, value))).await?;
        tracing::debug!(resource = kind.resource(), count = objects.len(), %version, "listed");
        self.send(Heard::All(objects)).await?;
        Ok(version)
    }

    /// Takes an event on, and keeps in `marked` how far the watch says that it has come.
    async fn hear(&mut self, event: WatchEvent<Value>, marked: &mut Option<Version>) -> Result<(), Failure> {
        let kind = self.source.kind;
        let (version, heard) = match event {
            WatchEvent::Added(value) | WatchEvent::Modified(value) => {
                (Version::of(&value), read(kind, value).map(Heard::Changed))
            }
            WatchEvent::Deleted(value) => {
                let key = object::key(kind, &value).map_err(|wrong| unknown(kind, &wrong)).ok();
                (Version::of(&value), key.map(Heard::Gone))
            }
            WatchEvent::Bookmark(bookmark) => {
                *marked = Version::new(bookmark.metadata.resource_version);
                (marked.clone(), None)
            }
            WatchEvent::Error(status) => return Err(status.into()),
        };
        if let Some(heard) = heard {
            self.send(heard).await?;
        }
        let lacking = || Failure::Strange("an event has no resourceVersion".into());
        self.place = Some(version.ok_or_else(lacking)?);
        Ok(())
    }

    /// Whatever was done before `moment` has been heard.
    async fn current(&mut self, moment: Instant) -> Result<(), Failure> {
        self.send(Heard::Current(moment)).await?;
        let kind = self.source.kind;
        let is_back = |problems: &mut Problems| problems.remove(&kind).is_some();
        if self.problems.send_if_modified(is_back) {
            tracing::info!(resource = kind.resource(), "Kubernetes is heard again");
        }
        Ok(())
    }

    /// Tells of a failure, and logs it if it is the first one or another one than before.
    fn troubled(&self, failure: &Failure) {
        let (kind, text) = (self.source.kind, failure.to_string());
        let resource = kind.resource();
        let is_news = self.problems.send_if_modified(|problems| {
            let before = problems.insert(kind, text.clone());
            before.as_ref() != Some(&text)
        });
        match failure {
            // A matter of course: history is kept for some minutes only.
            Failure::Expired => tracing::debug!(resource, "{text}; all are listed again"),
            _ if is_news => tracing::warn!(resource, "Kubernetes is not heard: {text}"),
            _ => tracing::debug!(resource, "Kubernetes is not heard: {text}"),
        }
    }

    async fn send(&self, heard: Heard) -> Result<(), Failure> {
        let message = Message { kind: self.source.kind, heard };
        self.to.send(message).await.map_err(|_| Failure::Ended)
    }
}

fn read(kind: Kind, value: Value) -> Option<object::Object> {
    object::read(kind, value).map_err(|wrong| unknown(kind, &wrong)).ok()
}

/// An object without a name or in no namespace, which no API server has. It cannot be kept in mind that this was told.
fn unknown(kind: Kind, wrong: &str) {
    tracing::warn!("a {kind} cannot be used: {wrong}");
}
