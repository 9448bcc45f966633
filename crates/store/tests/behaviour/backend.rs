//! Fresh databases, and what the cases make in them.
use crate::servers;
use access::Grant;
use domain::{
    Clock, Error, Executes, Experiment, ExperimentId, Home, Namespace, NewExperiment, NewPipeline, NewRecurringRun,
    NewRun, NewVersion, Pipeline, PipelineVersion, RecurringRun, Run, RuntimeState, Source, Task, Timestamp, Trigger,
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use store::{Progress, Store};
use tempfile::TempDir;

/// When the clock of every case starts: an odd moment within a second.
pub(crate) const START: Timestamp = Timestamp(1_700_000_000_250_000);

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct Hand(AtomicI64);

impl Hand {
    pub(crate) fn advance(&self, micros: i64) -> Timestamp {
        Timestamp(self.0.fetch_add(micros, Ordering::SeqCst) + micros)
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A database of one case.
pub(crate) struct Db {
    pub(crate) store: Store,
    pub(crate) clock: Arc<Hand>,
    pub(crate) url: String,
    /// Of a database that is a file.
    folder: Option<TempDir>,
    is_alone: bool,
}

/// What `suite!` wants of a backend: a fresh database, or why there is none.
pub(crate) type Fresh = Result<Db, String>;

pub(crate) async fn sqlite() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("bulkhead.db").display());
    Ok(Db { folder: Some(folder), ..Db::open(url).await })
}

/// A file that nobody else writes to.
pub(crate) async fn sqlite_alone() -> Fresh {
    let db = sqlite().await?;
    Ok(Db { store: db.store.alone(), is_alone: true, ..db })
}

pub(crate) async fn postgres() -> Fresh {
    Ok(Db::open(servers::postgres().await?).await)
}

/// MySQL, or MariaDB.
pub(crate) async fn mysql() -> Fresh {
    Ok(Db::open(servers::mysql().await?).await)
}

impl Db {
    async fn open(url: String) -> Self {
        let clock = Arc::new(Hand(AtomicI64::new(START.0)));
        let store = Store::open_with(&url, clock.clone()).await.unwrap();
        Self { store, clock, url, folder: None, is_alone: false }
    }

    /// The file, of a database that is one.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("bulkhead.db")
    }

    /// Another server on the same database. Where there can be only one it is that.
    pub(crate) async fn again(&self) -> Store {
        if self.is_alone {
            return self.store.clone();
        }
        Store::open_with(&self.url, self.clock.clone()).await.unwrap()
    }

    /// Ends all connections to a server, some of them in the middle of something.
    pub(crate) async fn break_connections(&self) {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            servers::break_connections(&self.url).await;
        }
    }

    pub(crate) async fn experiment(&self, home: &str, name: &str) -> Experiment {
        let new = NewExperiment { name: name.into(), description: format!("about {name}") };
        self.store.create_experiment(&of(home), new).await.unwrap()
    }

    pub(crate) async fn run(&self, home: &str, experiment: &Experiment, name: &str) -> Run {
        self.store.create_run(&of(home), new_run(&experiment.id, name)).await.unwrap()
    }

    /// The run as it is now.
    pub(crate) async fn read(&self, home: &str, id: &str) -> Run {
        Arc::unwrap_or_clone(self.store.run(&of(home), id).await.unwrap())
    }

    pub(crate) async fn recurring_run(&self, home: &str, experiment: &Experiment, name: &str) -> RecurringRun {
        self.store.create_recurring_run(&of(home), new_recurring_run(&experiment.id, name)).await.unwrap()
    }

    pub(crate) async fn pipeline(&self, home: &str, name: &str) -> Pipeline {
        self.store.create_pipeline(&of(home), new_pipeline(name), None).await.unwrap().0
    }

    pub(crate) async fn version(&self, home: &str, pipeline: &Pipeline, name: &str) -> PipelineVersion {
        self.store.create_version(&of(home), pipeline.id.as_str(), new_version(name)).await.unwrap()
    }

    /// Brings a run to a state, as the executor does.
    pub(crate) async fn reach(&self, run: &Run, state: RuntimeState) {
        self.store.save_progress(&of(run.namespace.as_str()), step(run, state)).await.unwrap();
    }
}

/// A grant of any kind in a namespace; `*` is the shared scope, the empty name all tenants.
pub(crate) fn of<V, T>(home: &str) -> Grant<V, T> {
    let home = match home {
        "" => Home::Cluster,
        "*" => Home::Shared,
        name => Home::Namespace(Namespace::parse(name).unwrap()),
    };
    Grant::forge("jane", home)
}

pub(crate) fn new_run(experiment: &ExperimentId, name: &str) -> NewRun {
    let parameters = serde_json::json!({"rate": 0.1, "names": ["x", null]});
    NewRun {
        id: None,
        experiment_id: experiment.clone(),
        name: name.into(),
        description: format!("about {name}"),
        service_account: "runner".into(),
        source: Source::Inline,
        spec: "spec: text".into(),
        parameters: parameters.as_object().unwrap().clone(),
        pipeline_root: "s3://bucket/root".into(),
    }
}

/// An enabled one, every minute.
pub(crate) fn new_recurring_run(experiment: &ExperimentId, name: &str) -> NewRecurringRun {
    let run = new_run(experiment, name);
    NewRecurringRun {
        experiment_id: run.experiment_id,
        name: run.name,
        description: run.description,
        service_account: run.service_account,
        executes: Executes::Pinned { source: run.source, spec: run.spec },
        parameters: run.parameters,
        pipeline_root: run.pipeline_root,
        trigger: Trigger::Periodic { interval_seconds: 60, start: None, end: None },
        max_concurrency: 2,
        catchup: true,
        enabled: true,
    }
}

pub(crate) fn new_pipeline(name: &str) -> NewPipeline {
    NewPipeline {
        name: name.into(),
        display_name: format!("The {name}"),
        description: format!("about {name}"),
        tags: [("team".into(), "ml".into())].into(),
    }
}

pub(crate) fn new_version(name: &str) -> NewVersion {
    NewVersion {
        name: name.into(),
        display_name: format!("The {name}"),
        description: format!("about {name}"),
        code_source_url: "https://example.com/code".into(),
        package_url: format!("https://example.com/{name}.yaml"),
        tags: [("stage".into(), "test".into())].into(),
        spec: format!("spec: {name}"),
    }
}

/// A step that changes the state and nothing else.
pub(crate) fn step(run: &Run, state: RuntimeState) -> Progress {
    let (pipeline_name, engine, error, outputs, tasks) = Default::default();
    Progress { run_id: run.id.clone(), pipeline_name, engine, state, error, outputs, tasks }
}

pub(crate) fn new_task(run: &Run, name: &str) -> Task {
    Task { display_name: format!("The {name}"), ..Task::pending(run.id.clone(), name, START) }
}

/// A refusal as a client hears it, `Code: message`.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    let error = result.expect_err("this should have been refused");
    format!("{:?}: {}", error.code(), error.message())
}
