//! The services in process: a store in a temporary file, a clock that is set by hand, an executor that only listens.
use crate::files::Shelf;
use access::{Binding, Caller, Identity, PolicyRule, Ports, Rbac, Settings, Subject, Tenant};
use axum::{Router, body::Body};
use domain::{Clock, Error, Namespace, Result, RunId, Timestamp};
use fetch::Fetcher;
use futures::future::BoxFuture;
use gateway::Options;
use http::{Request, Response};
use http_body_util::BodyExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use server::{Context, Executor, Fetch, Fetched, Packages, Policies, Schedules};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use store::Store;
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

/// What the clock shows at first, in whole seconds and on the wire.
const START: i64 = 1_700_000_000;
pub(crate) const NOW: &str = "2023-11-14T22:13:20Z";
/// A moment that has not come.
pub(crate) const NEVER: &str = "1970-01-01T00:00:00Z";

/// An id that nothing has.
pub(crate) const ABSENT: &str = "01890000-0000-7000-8000-000000000000";

/// A pipeline of one task and three parameters.
pub(crate) fn pipeline() -> Value {
    json!({
        "pipelineInfo": {"name": "train"},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "deploymentSpec": {"executors": {"exec-say": {"container": {"image": "none", "command": ["echo"]}}}},
        "components": {"comp-say": {"executorLabel": "exec-say"}},
        "root": {
            "dag": {"tasks": {"say": {"componentRef": {"name": "comp-say"}}}},
            "inputDefinitions": {"parameters": {
                "n": {"parameterType": "NUMBER_INTEGER"},
                "s": {"parameterType": "STRING", "defaultValue": "x"},
                "mode": {"parameterType": "STRING", "isOptional": true, "literals": ["fast", "slow"]},
            }},
        },
    })
}

pub(crate) struct World {
    app: Router,
    pub(crate) executor: Arc<Recorder>,
    pub(crate) files: Arc<Shelf>,
    pub(crate) store: Store,
    /// Takes all rights from everybody.
    withdraw: Box<dyn Fn() + Send + Sync>,
    stop: watch::Sender<bool>,
    clock: Arc<Hand>,
    pub(crate) context: Context,
    caller: Caller,
    _folder: TempDir,
}

impl World {
    /// Many tenants. Whoever calls is Jane, who may edit in `team`, `other` and, for shared pipelines, `kubeflow`.
    pub(crate) async fn new() -> Self {
        Self::fetching(None).await
    }

    /// The same, under these policies.
    pub(crate) async fn under(policies: Policies) -> Self {
        Self::make(Some(Self::rbac()), None, policies, Schedules::default()).await
    }

    /// The same, where this holds for schedules.
    pub(crate) async fn scheduling(schedules: Schedules) -> Self {
        Self::make(Some(Self::rbac()), None, Policies::default(), schedules).await
    }

    /// The same, fetching packages as these rules allow it.
    pub(crate) async fn fetching(fetcher: Option<Fetcher>) -> Self {
        Self::make(Some(Self::rbac()), fetcher, Policies::default(), Schedules::default()).await
    }

    fn rbac() -> Rbac {
        let edit = PolicyRule {
            api_groups: vec!["pipelines.kubeflow.org".into()],
            resources: vec!["*".into()],
            verbs: vec!["*".into()],
            resource_names: Vec::new(),
        };
        let subject = || Subject::User("jane".into());
        let place = |name: &str| Namespace::parse(name).unwrap();
        let tenants = ["team", "other"].map(|name| Tenant { namespace: place(name), owner: subject() });
        let bindings = ["team", "other", "kubeflow"].map(|name| Binding {
            subject: subject(),
            namespace: Some(place(name)),
            rules: vec![edit.clone()],
        });
        Rbac::new(tenants, bindings)
    }

    /// The same, and Jane may report in the whole cluster.
    pub(crate) async fn reporter() -> Self {
        let report = PolicyRule {
            api_groups: vec!["pipelines.kubeflow.org".into()],
            resources: vec!["*".into()],
            verbs: vec!["*".into()],
            resource_names: Vec::new(),
        };
        let subject = Subject::User("jane".into());
        let namespace = Namespace::parse("team").unwrap();
        let tenant = Tenant { namespace, owner: subject.clone() };
        let rbac = Rbac::new([tenant], [Binding { subject, namespace: None, rules: vec![report] }]);
        Self::make(Some(rbac), None, Policies::default(), Schedules::default()).await
    }

    pub(crate) async fn single_user() -> Self {
        Self::make(None, None, Policies::default(), Schedules::default()).await
    }

    async fn make(rbac: Option<Rbac>, fetcher: Option<Fetcher>, policies: Policies, schedules: Schedules) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(Hand(AtomicI64::new(START)));
        let store = Store::open_with(&folder.path().join("db").to_string_lossy(), clock.clone()).await.unwrap();
        let executor = Arc::new(Recorder::default());
        let settings = Settings {
            server_namespace: Namespace::parse("kubeflow").unwrap(),
            default_service_account: "default-editor".into(),
        };
        let multi_user = rbac.is_some();
        let ports = || {
            let it = Arc::new(store.clone());
            Ports { locate: it.clone(), credentials: it, clock: clock.clone(), ..Ports::idle() }
        };
        let (gate, withdraw): (_, Box<dyn Fn() + Send + Sync>) = match rbac {
            Some(rbac) => {
                let founded = access::found(settings, rbac, ports());
                let policy = Mutex::new(founded.policy);
                (founded.gate, Box::new(move || policy.lock().unwrap().replace(Rbac::new([], []))))
            }
            None => (access::found_single_user(settings, ports()).0, Box::new(|| {})),
        };
        let files = Arc::new(Shelf::default());
        let (stop, stopping) = watch::channel(false);
        let caller = if multi_user { Caller::Known(Identity::forge("jane", &[])) } else { Caller::Nobody };
        let settings = server::Settings {
            multi_user,
            default_service_account: "default-editor".into(),
            policies,
            schedules,
            max_message: server::MAX_MESSAGE,
            max_streams: 8,
            max_token_lifetime: Duration::from_secs(3600),
        };
        let context = Context {
            gate,
            store: store.clone(),
            executor: executor.clone(),
            fetch: Arc::new(Urls(fetcher)),
            files: files.clone(),
            settings: Arc::new(settings),
            packages: Packages::default(),
            stopping,
        };
        let routes = server::routes(&context).unwrap();
        let options = Options { max_message: server::MAX_MESSAGE };
        let uploads = gateway::uploads(routes.clone(), api::DESCRIPTORS, options).unwrap();
        let read = gateway::files(routes.clone(), api::DESCRIPTORS, options).unwrap();
        let app = uploads.merge(read).fallback_service(gateway::router(routes, api::DESCRIPTORS, options).unwrap());
        Self { app, executor, files, store, withdraw, stop, clock, context, caller, _folder: folder }
    }

    /// Lets a second go by.
    pub(crate) fn tick(&self) {
        self.clock.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Lets so many seconds go by.
    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Takes all rights from everybody.
    pub(crate) fn withdraw(&self) {
        (self.withdraw)();
    }

    /// What SIGTERM does.
    pub(crate) fn stop(&self) {
        self.stop.send(true).unwrap();
    }

    /// An answer whose body may still be coming.
    pub(crate) async fn open(&self, path: &str) -> Response<Body> {
        self.pass(Request::builder().uri(path).body(Body::empty()).unwrap()).await
    }

    async fn pass(&self, mut request: Request<Body>) -> Response<Body> {
        request.extensions_mut().insert(self.caller.clone());
        self.app.clone().oneshot(request).await.unwrap()
    }

    async fn send(&self, request: Request<Body>) -> (u16, Value) {
        let response = self.pass(request).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// The status and the body of an answer.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(Request::builder().method(method).uri(path).body(body.into()).unwrap()).await
    }

    /// The body of an answer that must be 200.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body).await;
        assert_eq!(status, 200, "{method} {path} {body}: {answer:#}");
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call("GET", path, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.call("POST", path, &body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Value {
        self.call("DELETE", path, &Value::Null).await
    }

    /// Passes if the answer is an error of this status and code whose message contains `words`.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: Value, (status, code): (u16, i32), words: &str) {
        let (got, answer) = self.ask(method, path, &body).await;
        let line = format!("{method} {path} {body}: {answer:#}");
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{line}");
        assert!(answer["message"].as_str().unwrap().contains(words), "{line} lacks {words:?}");
    }

    /// Uploads a file to `path`, which has the query.
    pub(crate) async fn upload(&self, path: &str, filename: &str, content: impl AsRef<[u8]>) -> (u16, Value) {
        let disposition = format!("content-disposition: form-data; name=\"uploadfile\"; filename=\"{filename}\"");
        let head = format!("--cut\r\n{disposition}\r\n\r\n");
        let body = [head.as_bytes(), content.as_ref(), b"\r\n--cut--\r\n"].concat();
        let request = Request::builder().method("POST").uri(path);
        self.send(request.header("content-type", "multipart/form-data; boundary=cut").body(body.into()).unwrap()).await
    }

    /// Uploads the pipeline under a name, and returns its id and that of its version.
    pub(crate) async fn pipeline(&self, namespace: &str, name: &str) -> (String, String) {
        let path = format!("/apis/v2beta1/pipelines/upload?namespace={namespace}&name={name}");
        let (status, made) = self.upload(&path, "train.json", &pipeline().to_string()).await;
        assert_eq!(status, 200, "{made:#}");
        let id = text(&made, "pipeline_id");
        let versions = self.get(&format!("/apis/v2beta1/pipelines/{id}/versions")).await;
        (id, text(&versions["pipeline_versions"][0], "pipeline_version_id"))
    }

    /// Uploads the pipeline as another version, and returns its id.
    pub(crate) async fn version(&self, pipeline_id: &str, name: &str) -> String {
        let path = format!("/apis/v2beta1/pipelines/upload_version?pipelineid={pipeline_id}&name={name}");
        let (status, made) = self.upload(&path, "train.json", &pipeline().to_string()).await;
        assert_eq!(status, 200, "{made:#}");
        text(&made, "pipeline_version_id")
    }

    /// Makes an experiment and returns its id.
    pub(crate) async fn experiment(&self, namespace: &str, name: &str) -> String {
        let new = json!({"display_name": name, "namespace": namespace});
        text(&self.post("/apis/v2beta1/experiments", new).await, "experiment_id")
    }

    /// Makes a run of the inline pipeline.
    pub(crate) async fn run(&self, experiment: &str, name: &str) -> Value {
        self.post("/apis/v2beta1/runs", inline(experiment, name)).await
    }
}

/// The request for a run of the inline pipeline.
pub(crate) fn inline(experiment: &str, name: &str) -> Value {
    json!({
        "display_name": name,
        "experiment_id": experiment,
        "pipeline_spec": pipeline(),
        "runtime_config": {"parameters": {"n": 3}},
    })
}

#[track_caller]
pub(crate) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value:#}")).to_owned()
}

/// Compares two messages, and shows them so that the difference is seen.
#[track_caller]
pub(crate) fn same(message: &Value, expect: &Value) {
    assert!(message == expect, "this came:\n{message:#}\nand this is right:\n{expect:#}");
}

/// A text as a query has it.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A clock that stands still until it is moved.
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

/// An executor that keeps what it is told.
#[derive(Default)]
pub(crate) struct Recorder {
    wakes: Mutex<Vec<(String, String)>>,
    pub(crate) broken: Mutex<Option<&'static str>>,
}

impl Recorder {
    /// The namespaces and runs that were named since the last look.
    pub(crate) fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.wakes.lock().unwrap())
    }
}

impl Executor for Recorder {
    fn ready(&self) -> Result<()> {
        self.broken.lock().unwrap().map_or(Ok(()), |why| Err(Error::precondition(why)))
    }

    fn wake(&self, namespace: &Namespace, run: &RunId) {
        self.wakes.lock().unwrap().push((namespace.to_string(), run.to_string()));
    }
}

/// Packages by URL, from where the rules of a test allow it.
struct Urls(Option<Fetcher>);

impl Fetch for Urls {
    fn fetch<'a>(&'a self, url: &'a str, longest: usize) -> BoxFuture<'a, Result<Fetched>> {
        Box::pin(async move {
            let fetcher = self.0.as_ref().ok_or_else(|| Error::precondition("nothing is fetched here"))?;
            let fetch::Fetched { filename, content } = fetcher.fetch(url, longest).await?;
            Ok(Fetched { filename, content })
        })
    }
}
