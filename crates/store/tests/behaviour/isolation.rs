//! Tenants know nothing of each other: every function with a grant of another home, or for another object.
use crate::backend::{Db, new_recurring_run, new_run, new_task, new_version, of, refused, step};
use access::{Gate, Ports, Scope, Settings, found_single_user};
use api::{
    access::{Admit, Rule},
    bulkhead::v1::{ReadArtifactRequest, artifact_service_rpc},
    v1, v2,
};
use domain::{
    Experiment, Home, Namespace, Pipeline, PipelineVersion, RecurringRun, Run, RuntimeState, Tags,
    list::{Operation, Predicate, Query, Value},
};
use std::{fmt::Debug, sync::Arc};
use store::{Cascade, ListScope, Progress, Seen, Which};

/// One of everything in namespace `a`.
struct Theirs {
    experiment: Experiment,
    run: Run,
    recurring: RecurringRun,
    pipeline: Pipeline,
    version: PipelineVersion,
}

impl Theirs {
    async fn make(db: &Db, name: &str) -> Self {
        let experiment = db.experiment("a", name).await;
        let run = db.run("a", &experiment, name).await;
        let progress = Progress { tasks: vec![new_task(&run, name)], ..step(&run, RuntimeState::Running) };
        db.store.save_progress(&of("a"), progress).await.unwrap();
        let recurring = db.recurring_run("a", &experiment, name).await;
        let pipeline = db.pipeline("a", name).await;
        let version = db.version("a", &pipeline, name).await;
        let run = db.read("a", run.id.as_str()).await;
        let experiment = db.store.experiment(&of("a"), experiment.id.as_str()).await.unwrap();
        Self { experiment, run, recurring, pipeline, version }
    }

    /// The ids of experiment, run, pipeline and version.
    fn ids(&self) -> (&str, &str, &str, &str) {
        (self.experiment.id.as_str(), self.run.id.as_str(), self.pipeline.id.as_str(), self.version.id.as_str())
    }

    /// Nothing of it has changed.
    async fn assert_untouched(&self, db: &Db) {
        let (experiment, run, pipeline, version) = self.ids();
        assert_eq!(db.store.experiment(&of("a"), experiment).await.unwrap(), self.experiment);
        assert_eq!(db.read("a", run).await, self.run);
        let recurring = db.store.recurring_run(&of("a"), self.recurring.id.as_str()).await.unwrap();
        assert_eq!(recurring, self.recurring);
        assert_eq!(db.store.pipeline(&of("a"), pipeline).await.unwrap(), self.pipeline);
        assert_eq!(db.store.version(&of("a"), pipeline, version).await.unwrap(), self.version);
        assert_eq!(db.store.versions(&of("a"), pipeline, Query::default()).await.unwrap().total, 1);
    }
}

/// The words for what does not exist.
#[track_caller]
fn absent<T: Debug>(answer: domain::Result<T>, kind: &str, id: &str) {
    assert_eq!(refused(answer), format!("NotFound: {kind} {id} not found"));
}

pub(crate) async fn of_reads(db: Db) {
    let theirs = Theirs::make(&db, "train").await;
    let (experiment, run, pipeline, version) = theirs.ids();
    for home in ["b", "*"] {
        absent(db.store.experiment(&of(home), experiment).await, "Experiment", experiment);
        absent(db.store.run(&of(home), run).await, "Run", run);
        absent(db.store.execution(&of(home), &theirs.run.id).await, "Run", run);
        let recurring = theirs.recurring.id.as_str();
        absent(db.store.recurring_run(&of(home), recurring).await, "RecurringRun", recurring);
        for node in ["train", theirs.run.tasks[0].id.as_str()] {
            absent(db.store.node(&of(home), run, node).await, "Run", run);
            absent(db.store.recorded(&of(home), run, node).await, "Run", run);
        }
        absent(db.store.pipeline(&of(home), pipeline).await, "Pipeline", pipeline);
        absent(db.store.pipeline_by_name(&of(home), "train").await, "Pipeline", "train");
        absent(db.store.version(&of(home), pipeline, version).await, "PipelineVersion", version);
        absent(db.store.version(&of(home), "", version).await, "PipelineVersion", version);
        let none = format!("NotFound: Pipeline {pipeline} has no version");
        assert_eq!(refused(db.store.latest_version(&of(home), pipeline).await), none);
        assert_eq!(db.store.latest_version_if_any(&of(home), pipeline).await.unwrap(), None);
        let ids = vec![theirs.pipeline.id.clone()];
        assert!(db.store.latest_versions(&of(home), ids).await.unwrap().is_empty());
    }
}

pub(crate) async fn of_writes(db: Db) {
    let theirs = Theirs::make(&db, "train").await;
    let (experiment, run, pipeline, version) = theirs.ids();
    let (name, tags) = (|| Some("mine".to_owned()), || Some(Tags::new()));
    for home in ["b", "*"] {
        absent(db.store.archive_experiment(&of(home), experiment).await, "Experiment", experiment);
        absent(db.store.unarchive_experiment(&of(home), experiment).await, "Experiment", experiment);
        absent(db.store.delete_experiment(&of(home), experiment).await, "Experiment", experiment);
        absent(db.store.archive_run(&of(home), run).await, "Run", run);
        absent(db.store.unarchive_run(&of(home), run).await, "Run", run);
        absent(db.store.delete_run(&of(home), run).await, "Run", run);
        absent(db.store.terminate_run(&of(home), run).await, "Run", run);
        absent(db.store.revision(&of(home), run).await, "Run", run);
        absent(db.store.writes(&of(home), run).await, "Run", run);
        for which in [Which::Changed { since: 0, and: Vec::new() }, Which::Only(theirs.run.tasks[0].id.to_string())] {
            absent(db.store.talking(&of(home), run, which, String::new()).await, "Run", run);
        }
        absent(db.store.watched(&of(home), run, Seen::default()).await, "Run", run);
        let recurring = theirs.recurring.id.as_str();
        absent(db.store.definition_to_retry(&of(home), run).await, "Run", run);
        absent(db.store.recurring_run_to_enable(&of(home), recurring).await, "RecurringRun", recurring);
        absent(db.store.enable_recurring_run(&of(home), recurring).await, "RecurringRun", recurring);
        absent(db.store.disable_recurring_run(&of(home), recurring).await, "RecurringRun", recurring);
        absent(db.store.delete_recurring_run(&of(home), recurring).await, "RecurringRun", recurring);
        absent(db.store.update_pipeline(&of(home), pipeline, name(), tags()).await, "Pipeline", pipeline);
        for cascade in [Cascade::Versions, Cascade::Nothing] {
            absent(db.store.delete_pipeline(&of(home), pipeline, cascade).await, "Pipeline", pipeline);
        }
        absent(db.store.create_version(&of(home), pipeline, new_version("mine")).await, "Pipeline", pipeline);
        for parent in [pipeline, ""] {
            let update = db.store.update_version(&of(home), parent, version, name(), tags()).await;
            absent(update, "PipelineVersion", version);
            absent(db.store.delete_version(&of(home), parent, version).await, "PipelineVersion", version);
        }
    }
    let create = db.store.create_run(&of("b"), new_run(&theirs.experiment.id, "mine")).await;
    absent(create, "Experiment", experiment);
    let create = db.store.create_recurring_run(&of("b"), new_recurring_run(&theirs.experiment.id, "mine")).await;
    absent(create, "Experiment", experiment);
    theirs.assert_untouched(&db).await;
}

pub(crate) async fn of_lists(db: Db) {
    let theirs = Theirs::make(&db, "train").await;
    Theirs::make(&db, "tune").await;
    db.version("a", &theirs.pipeline, "two").await;
    let (experiment, _, pipeline, _) = theirs.ids();
    let first = || Query { size: 1, ..Default::default() };
    let tokens = [
        db.store.experiments(&of("a"), first()).await.unwrap().next,
        db.store.runs(&of("a"), ListScope::Everything, first()).await.unwrap().next,
        db.store.pipelines(&of("a"), first()).await.unwrap().next,
        db.store.versions(&of("a"), pipeline, first()).await.unwrap().next,
        db.store.recurring_runs(&of("a"), ListScope::Everything, first()).await.unwrap().next,
    ];
    // A filter adds to what a grant reaches; it does not replace it.
    let namespace = Predicate { key: "namespace".into(), operation: Operation::Equals, value: Value::Text("a".into()) };
    for home in ["b", "*"] {
        for predicates in [vec![], vec![namespace.clone()]] {
            let query = || Query { predicates: predicates.clone(), ..Default::default() };
            assert_eq!(db.store.experiments(&of(home), query()).await.unwrap().total, 0);
            assert_eq!(db.store.pipelines(&of(home), query()).await.unwrap().total, 0);
            for scope in [ListScope::Everything, ListScope::Experiment(experiment.to_owned())] {
                let found = db.store.runs(&of(home), scope.clone(), query()).await.unwrap();
                assert_eq!((found.total, found.items.len()), (0, 0));
                let found = db.store.recurring_runs(&of(home), scope, query()).await.unwrap();
                assert_eq!((found.total, found.items.len()), (0, 0));
            }
        }
        assert_eq!(db.store.versions(&of(home), pipeline, Query::default()).await.unwrap().total, 0);

        let other = "InvalidArgument: page_token is not valid: it was not made for this list; start again without one";
        let next = |token: &String| Query { token: token.clone(), ..first() };
        assert_eq!(refused(db.store.experiments(&of(home), next(&tokens[0])).await), other);
        assert_eq!(refused(db.store.runs(&of(home), ListScope::Everything, next(&tokens[1])).await), other);
        assert_eq!(refused(db.store.pipelines(&of(home), next(&tokens[2])).await), other);
        assert_eq!(refused(db.store.versions(&of(home), pipeline, next(&tokens[3])).await), other);
        let everything = ListScope::Everything;
        assert_eq!(refused(db.store.recurring_runs(&of(home), everything, next(&tokens[4])).await), other);
    }
}

pub(crate) async fn of_progress(db: Db) {
    let theirs = Theirs::make(&db, "train").await;
    let progress = Progress {
        engine: "mine".into(),
        error: Some("mine".into()),
        tasks: vec![new_task(&theirs.run, "mine")],
        ..step(&theirs.run, RuntimeState::Failed)
    };
    absent(db.store.save_progress(&of("b"), progress).await, "Run", theirs.run.id.as_str());
    theirs.assert_untouched(&db).await;
    assert_eq!(db.store.execution(&of("a"), &theirs.run.id).await.unwrap().engine, "");
}

pub(crate) async fn of_tasks(db: Db) {
    // A step of one's own run may not take over a task of another run, wherever that is.
    let theirs = Theirs::make(&db, "train").await;
    for home in ["b", "a"] {
        let experiment = db.experiment(home, "mine").await;
        let mine = db.run(home, &experiment, "mine").await;
        for run_id in [&mine.id, &theirs.run.id] {
            let mut stolen = theirs.run.tasks[0].clone();
            stolen.run_id = run_id.clone();
            stolen.name = "mine".into();
            let progress = Progress { tasks: vec![stolen], ..step(&mine, RuntimeState::Running) };
            let _ = db.store.save_progress(&of(home), progress).await;
            theirs.assert_untouched(&db).await;
        }
    }
}

/// What the handlers of `R` get for a request: a scope of the real gate, which finds its objects in the store.
async fn admitted<R: Rule>(db: &Db, req: R::Request) -> Scope<R> {
    let settings = Settings {
        server_namespace: Namespace::parse("kubeflow").unwrap(),
        default_service_account: "runner".to_owned(),
    };
    let (gate, _): (Gate, _) =
        found_single_user(settings, Ports { locate: Arc::new(db.store.clone()), ..Ports::idle() });
    gate.admit::<R>(None, &req).await.unwrap()
}

macro_rules! scope {
    ($db:expr, $version:ident :: $service:ident :: $rpc:ident, $request:ident { $($field:ident: $id:expr),* }) => {{
        let mut req = $version::$request::default();
        $(req.$field = $id.to_owned();)*
        admitted::<$version::$service::$rpc>(&$db, req).await
    }};
}

pub(crate) async fn of_grants_for_one_object(db: Db) {
    let (mine, theirs) = (Theirs::make(&db, "mine").await, Theirs::make(&db, "theirs").await);
    let ((my_experiment, my_run, my_pipeline, my_version), (experiment, run, pipeline, version)) =
        (mine.ids(), theirs.ids());
    let store = &db.store;

    let get =
        scope!(db, v2::experiment_service_rpc::GetExperiment, GetExperimentRequest { experiment_id: my_experiment });
    absent(store.experiment(&get.grant(), experiment).await, "Experiment", experiment);
    assert_eq!(store.experiment(&get.grant(), my_experiment).await.unwrap(), mine.experiment);
    let archive = scope!(
        db,
        v2::experiment_service_rpc::ArchiveExperiment,
        ArchiveExperimentRequest { experiment_id: my_experiment }
    );
    absent(store.archive_experiment(&archive.grant(), experiment).await, "Experiment", experiment);
    let unarchive = scope!(
        db,
        v2::experiment_service_rpc::UnarchiveExperiment,
        UnarchiveExperimentRequest { experiment_id: my_experiment }
    );
    absent(store.unarchive_experiment(&unarchive.grant(), experiment).await, "Experiment", experiment);
    let delete = scope!(
        db,
        v2::experiment_service_rpc::DeleteExperiment,
        DeleteExperimentRequest { experiment_id: my_experiment }
    );
    absent(store.delete_experiment(&delete.grant(), experiment).await, "Experiment", experiment);

    let get = scope!(db, v2::run_service_rpc::GetRun, GetRunRequest { run_id: my_run });
    absent(store.run(&get.grant(), run).await, "Run", run);
    absent(store.execution(&get.grant(), &theirs.run.id).await, "Run", run);
    absent(store.node(&get.grant(), run, "theirs").await, "Run", run);
    absent(
        store.node(&get.grant(), my_run, theirs.run.tasks[0].id.as_str()).await,
        "Task",
        theirs.run.tasks[0].id.as_str(),
    );
    let req = ReadArtifactRequest { run_id: my_run.to_owned(), ..Default::default() };
    let read = admitted::<artifact_service_rpc::ReadArtifact>(&db, req).await;
    absent(store.recorded(&read.grant(), run, "theirs").await, "Run", run);
    assert_eq!(*store.run(&get.grant(), my_run).await.unwrap(), mine.run);
    let archive = scope!(db, v2::run_service_rpc::ArchiveRun, ArchiveRunRequest { run_id: my_run });
    absent(store.archive_run(&archive.grant(), run).await, "Run", run);
    let unarchive = scope!(db, v2::run_service_rpc::UnarchiveRun, UnarchiveRunRequest { run_id: my_run });
    absent(store.unarchive_run(&unarchive.grant(), run).await, "Run", run);
    let delete = scope!(db, v2::run_service_rpc::DeleteRun, DeleteRunRequest { run_id: my_run });
    absent(store.delete_run(&delete.grant(), run).await, "Run", run);
    let terminate = scope!(db, v2::run_service_rpc::TerminateRun, TerminateRunRequest { run_id: my_run });
    absent(store.terminate_run(&terminate.grant(), run).await, "Run", run);

    recurring_runs_by_grants_for_one(&db, mine.recurring.id.as_str(), theirs.recurring.id.as_str()).await;

    let get = scope!(db, v2::pipeline_service_rpc::GetPipeline, GetPipelineRequest { pipeline_id: my_pipeline });
    absent(store.pipeline(&get.grant(), pipeline).await, "Pipeline", pipeline);
    absent(store.latest_version(&get.grant(), pipeline).await, "Pipeline", pipeline);
    absent(store.latest_version_if_any(&get.grant(), pipeline).await, "Pipeline", pipeline);
    assert_eq!(store.latest_version(&get.grant(), my_pipeline).await.unwrap(), mine.version);
    absent(store.version(&get.grant(), pipeline, version).await, "PipelineVersion", version);
    let update = v2::UpdatePipelineRequest {
        pipeline: Some(v2::Pipeline { pipeline_id: my_pipeline.into(), ..Default::default() }),
        ..Default::default()
    };
    let update = admitted::<v2::pipeline_service_rpc::UpdatePipeline>(&db, update).await;
    absent(store.update_pipeline(&update.grant(), pipeline, None, Some(Tags::new())).await, "Pipeline", pipeline);
    let delete =
        scope!(db, v2::pipeline_service_rpc::DeletePipeline, DeletePipelineRequest { pipeline_id: my_pipeline });
    absent(store.delete_pipeline(&delete.grant(), pipeline, Cascade::Versions).await, "Pipeline", pipeline);

    let add = scope!(
        db,
        v2::pipeline_service_rpc::CreatePipelineVersion,
        CreatePipelineVersionRequest { pipeline_id: my_pipeline }
    );
    absent(store.create_version(&add.grant(), pipeline, new_version("two")).await, "Pipeline", pipeline);
    let list = scope!(
        db,
        v2::pipeline_service_rpc::ListPipelineVersions,
        ListPipelineVersionsRequest { pipeline_id: my_pipeline }
    );
    absent(store.versions(&list.grant(), pipeline, Query::default()).await, "Pipeline", pipeline);
    let get = scope!(
        db,
        v1::pipeline_service_rpc::GetPipelineVersionV1,
        GetPipelineVersionRequest { version_id: my_version }
    );
    absent(store.version(&get.grant(), "", version).await, "PipelineVersion", version);
    let update = v2::PipelineVersion {
        pipeline_id: my_pipeline.into(),
        pipeline_version_id: my_version.into(),
        ..Default::default()
    };
    let update = v2::UpdatePipelineVersionRequest { pipeline_version: Some(update), ..Default::default() };
    let update = admitted::<v2::pipeline_service_rpc::UpdatePipelineVersion>(&db, update).await;
    absent(
        store.update_version(&update.grant(), "", version, None, Some(Tags::new())).await,
        "PipelineVersion",
        version,
    );
    let delete = scope!(
        db,
        v1::pipeline_service_rpc::DeletePipelineVersionV1,
        DeletePipelineVersionRequest { version_id: my_version }
    );
    absent(store.delete_version(&delete.grant(), "", version).await, "PipelineVersion", version);
    theirs.assert_untouched(&db).await;
    mine.assert_untouched(&db).await;
}

async fn recurring_runs_by_grants_for_one(db: &Db, mine: &str, theirs: &str) {
    let (store, kind) = (&db.store, "RecurringRun");
    let get =
        scope!(db, v2::recurring_run_service_rpc::GetRecurringRun, GetRecurringRunRequest { recurring_run_id: mine });
    absent(store.recurring_run(&get.grant(), theirs).await, kind, theirs);
    assert_eq!(store.recurring_run(&get.grant(), mine).await.unwrap().id.as_str(), mine);
    let enable = scope!(
        db,
        v2::recurring_run_service_rpc::EnableRecurringRun,
        EnableRecurringRunRequest { recurring_run_id: mine }
    );
    absent(store.enable_recurring_run(&enable.grant(), theirs).await, kind, theirs);
    absent(store.recurring_run_to_enable(&enable.grant(), theirs).await, kind, theirs);
    let disable = scope!(
        db,
        v2::recurring_run_service_rpc::DisableRecurringRun,
        DisableRecurringRunRequest { recurring_run_id: mine }
    );
    absent(store.disable_recurring_run(&disable.grant(), theirs).await, kind, theirs);
    let delete = scope!(
        db,
        v2::recurring_run_service_rpc::DeleteRecurringRun,
        DeleteRecurringRunRequest { recurring_run_id: mine }
    );
    absent(store.delete_recurring_run(&delete.grant(), theirs).await, kind, theirs);
}

pub(crate) async fn of_grants_for_one_pipeline(db: Db) {
    // Look-ups that go round the id still find only what the grant is for.
    let (mine, theirs) = (Theirs::make(&db, "mine").await, Theirs::make(&db, "theirs").await);
    let my_pipeline = mine.pipeline.id.as_str();
    let get = scope!(db, v2::pipeline_service_rpc::GetPipeline, GetPipelineRequest { pipeline_id: my_pipeline });
    assert_eq!(db.store.pipeline_by_name(&get.grant(), "mine").await.unwrap(), mine.pipeline);
    absent(db.store.pipeline_by_name(&get.grant(), "theirs").await, "Pipeline", "theirs");
    let list = scope!(
        db,
        v2::pipeline_service_rpc::ListPipelineVersions,
        ListPipelineVersionsRequest { pipeline_id: my_pipeline }
    );
    let ids = vec![mine.pipeline.id.clone(), theirs.pipeline.id.clone()];
    match db.store.latest_versions(&list.grant(), ids).await {
        Ok(found) => assert_eq!(found.into_values().collect::<Vec<_>>(), [mine.version]),
        Err(error) => assert_eq!(error.code(), domain::Code::NotFound),
    }
}

pub(crate) async fn of_shared_pipelines(db: Db) {
    let shared = db.pipeline("*", "intro").await;
    let version = db.version("*", &shared, "one").await;
    let (id, vid) = (shared.id.as_str(), version.id.as_str());
    assert_eq!(shared.home, Home::Shared);
    assert_eq!(db.store.pipeline(&of("*"), id).await.unwrap(), shared);
    assert_eq!(db.store.version(&of("*"), id, vid).await.unwrap(), version);
    assert_eq!(db.store.latest_version(&of("*"), id).await.unwrap(), version);
    assert_eq!(db.store.pipelines(&of("*"), Query::default()).await.unwrap().items, std::slice::from_ref(&shared));
    // A namespace is no way to them, and they are no way into one.
    assert_eq!(db.store.pipelines(&of("a"), Query::default()).await.unwrap().total, 0);
    absent(db.store.pipeline(&of("a"), id).await, "Pipeline", id);
    absent(db.store.pipeline_by_name(&of("a"), "intro").await, "Pipeline", "intro");
    absent(db.store.version(&of("a"), id, vid).await, "PipelineVersion", vid);
    absent(db.store.update_pipeline(&of("a"), id, None, None).await, "Pipeline", id);
    absent(db.store.create_version(&of("a"), id, new_version("two")).await, "Pipeline", id);
    absent(db.store.delete_version(&of("a"), id, vid).await, "PipelineVersion", vid);
    absent(db.store.delete_pipeline(&of("a"), id, Cascade::Versions).await, "Pipeline", id);
    assert_eq!(db.store.latest_version(&of("*"), id).await.unwrap(), version);
}
