//! An API server of the five kinds on loopback, which does what a test tells it.
use axum::{
    Json, Router,
    body::Body,
    extract::{Query, State as Shared},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use futures::{Stream, stream};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{Instant, timeout_at},
};

/// The API, and what a test does to it.
#[derive(Clone)]
pub(super) struct Api(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// Changes with every change of the state.
    told: watch::Sender<()>,
    url: String,
}

#[derive(Default)]
struct State {
    version: u64,
    objects: BTreeMap<(String, String), Value>,
    history: Vec<Event>,
    /// Up to here history is forgotten.
    forgotten: u64,
    watches: usize,
    /// Watches with lower numbers end.
    ended: usize,
    /// Watches with lower numbers say nothing any more, and do not end either.
    muted: usize,
    refusal: Option<(u16, &'static str)>,
    /// What watches say at once of how far they have come.
    bookmark: Option<u64>,
    requests: Vec<String>,
}

#[derive(Clone)]
struct Event {
    version: u64,
    kind: &'static str,
    path: String,
    object: Value,
}

impl Api {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Mutex::new(State { version: 100, ..State::default() });
        let api = Self(Arc::new(Inner { state, told: watch::Sender::new(()), url }));
        let app = Router::new().fallback(answer).with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        api
    }

    pub(super) fn client(&self) -> kube::Client {
        let mut config = kube::Config::new(self.0.url.parse().unwrap());
        config.default_retry = false;
        kube::Client::try_from(config).unwrap()
    }

    fn tell<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.0.state.lock().unwrap());
        self.0.told.send_replace(());
        done
    }

    /// Creates or changes an object.
    pub(super) fn put(&self, resource: &str, object: Value) {
        self.tell(|state| state.put(resource, object));
    }

    pub(super) fn delete(&self, resource: &str, name: &str) {
        self.tell(|state| state.delete(resource, name));
    }

    /// All watches that there are end, as they do when their time is over.
    pub(super) fn end_watches(&self) {
        self.tell(|state| state.ended = state.watches);
    }

    /// All watches that there are go on without a word, as over a connection whose other end is gone.
    pub(super) fn mute_watches(&self) {
        self.tell(|state| state.muted = state.watches);
    }

    /// Nobody can go on from where they are.
    pub(super) fn forget_history(&self) {
        self.tell(|state| state.forgotten = state.version);
    }

    /// What is there now has come from a backup of long ago.
    pub(super) fn restore(&self, version: u64) {
        self.tell(|state| {
            state.version = version;
            state.history.clear();
            state.ended = state.watches;
        });
    }

    /// Every request gets this answer, or answers as they should be.
    pub(super) fn refuse(&self, refusal: Option<(u16, &'static str)>) {
        self.tell(|state| state.refusal = refusal);
    }

    pub(super) fn bookmark(&self, version: Option<u64>) {
        self.tell(|state| state.bookmark = version);
    }

    /// The requests since the last time, in order.
    pub(super) fn requests(&self) -> Vec<String> {
        self.tell(|state| std::mem::take(&mut state.requests))
    }
}

impl State {
    fn put(&mut self, resource: &str, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let key = (path(resource), key(&object));
        let before = self.objects.insert(key, object.clone());
        self.record(if before.is_some() { "MODIFIED" } else { "ADDED" }, resource, object);
    }

    fn delete(&mut self, resource: &str, name: &str) {
        self.version += 1;
        let mut object = self.objects.remove(&(path(resource), name.to_owned())).unwrap();
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.record("DELETED", resource, object);
    }

    fn record(&mut self, kind: &'static str, resource: &str, object: Value) {
        self.history.push(Event { version: self.version, kind, path: path(resource), object });
    }
}

fn path(resource: &str) -> String {
    let group = if resource == "profiles" { "kubeflow.org" } else { "rbac.authorization.k8s.io" };
    format!("/apis/{group}/v1/{resource}")
}

/// `NAMESPACE/NAME`, or the name of what is in no namespace.
fn key(object: &Value) -> String {
    let text = |field: &str| object["metadata"][field].as_str();
    let name = text("name").unwrap_or_default();
    text("namespace").map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
}

fn status(code: u16, message: &str) -> Value {
    json!({"kind": "Status", "status": "Failure", "code": code, "message": message, "reason": ""})
}

async fn answer(
    Shared(api): Shared<Api>,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let accept = headers.get("accept").and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let is_metadata = accept.contains("PartialObjectMetadataList");
    let refusal = api.tell(|state| {
        let note = if is_metadata { " metadata" } else { "" };
        state.requests.push(format!("{uri}{note}"));
        state.refusal
    });
    if let Some((code, message)) = refusal {
        return (StatusCode::from_u16(code).unwrap(), Json(status(code, message))).into_response();
    }
    if query.contains_key("watch") {
        let seconds = query["timeoutSeconds"].parse().unwrap();
        let events = events(api, uri.path().to_owned(), query["resourceVersion"].parse().unwrap(), seconds);
        return Body::from_stream(events).into_response();
    }
    Json(list(&api, uri.path(), &query)).into_response()
}

fn list(api: &Api, path: &str, query: &HashMap<String, String>) -> Value {
    let state = api.0.state.lock().unwrap();
    let limit: usize = query["limit"].parse().unwrap();
    let start: usize = query.get("continue").map_or(0, |token| token.parse().unwrap());
    let of_kind = state.objects.iter().filter(|((of, _), _)| of == path).map(|(_, object)| object);
    let all: Vec<&Value> = of_kind.collect();
    let next = if start + limit < all.len() { (start + limit).to_string() } else { String::new() };
    let items: Vec<&Value> = all.into_iter().skip(start).take(limit).collect();
    json!({"metadata": {"resourceVersion": state.version.to_string(), "continue": next}, "items": items})
}

struct Following {
    api: Api,
    number: usize,
    path: String,
    from: u64,
    until: Instant,
    bookmark: Option<u64>,
}

/// Lines of a watch.
fn events(api: Api, path: String, from: u64, seconds: u64) -> impl Stream<Item = Result<String, Infallible>> {
    let (number, bookmark) = api.tell(|state| {
        state.watches += 1;
        (state.watches - 1, state.bookmark)
    });
    let until = Instant::now() + Duration::from_secs(seconds);
    stream::unfold(Following { api, number, path, from, until, bookmark }, |mut following| async {
        let mut told = following.api.0.told.subscribe();
        loop {
            match following.next() {
                Next::Line(line) => return Some((Ok(line), following)),
                Next::Wait => {}
                Next::Silence => std::future::pending().await,
                Next::End => return None,
            }
            if timeout_at(following.until, told.changed()).await.is_err() {
                return None;
            }
        }
    })
}

enum Next {
    Line(String),
    Wait,
    Silence,
    End,
}

impl Following {
    fn next(&mut self) -> Next {
        let state = self.api.0.state.lock().unwrap();
        if self.number < state.muted {
            return Next::Silence;
        }
        if self.number < state.ended || state.refusal.is_some() {
            return Next::End;
        }
        if let Some(version) = self.bookmark.take() {
            let object =
                json!({"apiVersion": "v1", "kind": "Any", "metadata": {"resourceVersion": version.to_string()}});
            return line("BOOKMARK", &object);
        }
        if self.from < state.forgotten {
            self.from = u64::MAX;
            return line("ERROR", &status(410, "too old resource version"));
        }
        let next = state.history.iter().find(|event| event.version > self.from && event.path == self.path);
        let Some(event) = next.cloned() else { return Next::Wait };
        self.from = event.version;
        line(event.kind, &event.object)
    }
}

fn line(kind: &str, object: &Value) -> Next {
    Next::Line(format!("{}\n", json!({"type": kind, "object": object})))
}
