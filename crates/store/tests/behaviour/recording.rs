//! What clients record of runs that another engine executes, and what nobody can do by it.
use crate::{
    backend::{Db, of, refused, step},
    lineage::Trained,
    reports::scheduled,
};
use domain::{
    Direction, NewArtifact, NewLink, NewTask, Pod, Producer, RunId, RuntimeState, TaskChange, TaskId, TaskKind,
    list::Query,
};
use serde_json::json;
use store::{LinksOf, Progress, Same, TasksOf};

pub(crate) fn new_task(run: &str, name: &str) -> NewTask {
    NewTask {
        run_id: RunId::from_text(run),
        parent_id: None,
        name: name.into(),
        kind: TaskKind::Runtime,
        is_root: false,
        change: TaskChange::default(),
    }
}

pub(crate) fn new_artifact(run: &str, task: &TaskId, name: &str) -> NewArtifact {
    NewArtifact {
        run_id: RunId::from_text(run),
        task_id: task.clone(),
        direction: Direction::Output,
        key: name.into(),
        producer: Some(Producer { task: "train".into(), key: name.into() }),
        name: name.into(),
        kind: "system.Model".into(),
        uri: "s3://bucket/model".into(),
        description: "the best".into(),
        metadata: json!({"loss": 0.5}).as_object().unwrap().clone(),
        number: Some(0.25),
    }
}

/// A run of another engine in namespace `a`.
pub(crate) async fn reported(db: &Db, id: &str, experiment: &str) {
    let experiment = db.experiment("a", experiment).await;
    let recurring = db.recurring_run("a", &experiment, "nightly").await;
    let report = scheduled(id, recurring.id.as_str(), RuntimeState::Running);
    db.store.report_workflow(&of(""), report).await.unwrap();
}

pub(crate) async fn tells_what_was_recorded(db: Db) {
    reported(&db, "r", "one").await;
    let (before, _) = db.store.revision(&of("a"), "r").await.unwrap();
    let pod = Pod { name: "train-1".into(), uid: "7".into(), kind: "EXECUTOR".into() };
    let change = TaskChange {
        state: Some(RuntimeState::Running),
        pods: Some(vec![pod.clone()]),
        fingerprint: Some("f".into()),
        inputs: Some(json!({"rate": "0.1"}).as_object().unwrap().clone()),
        ..TaskChange::default()
    };
    let root = db.store.record_task(&of("a"), NewTask { is_root: true, ..new_task("r", "root") }).await.unwrap();
    let inside = NewTask { parent_id: Some(root.task.id.clone()), change, ..new_task("r", "train") };
    let task = db.store.record_task(&of("a"), inside.clone()).await.unwrap();
    assert_eq!((task.task.state, task.task.path.as_str()), (RuntimeState::Running, "/root/train"));
    assert_eq!(task.task.fingerprint, "", "what a client says of a result is looked for by nobody");
    let recorded = task.recorded.unwrap();
    assert_eq!((recorded.fingerprint.as_str(), recorded.pods), ("f", vec![pod]));
    let taken = refused(db.store.record_task(&of("a"), inside).await);
    assert_eq!(taken, "AlreadyExists: run r has such a task in the same place already");

    let id = task.task.id.as_str();
    let model = db.store.record_artifact(&of("a"), new_artifact("r", &task.task.id, "model")).await.unwrap();
    let change = TaskChange { state: Some(RuntimeState::Succeeded), ..TaskChange::default() };
    let after = db.store.change_recorded_task(&of("a"), id, Same::default(), change).await.unwrap();
    assert_eq!(after.task.state, RuntimeState::Succeeded);
    assert_eq!(after.task.inputs.parameters["rate"], "0.1", "what a change does not give stays");
    assert_eq!(after.task.history.len(), 3);
    assert_eq!(after.outputs, [("model".to_owned(), model.clone())], "and so do artifacts");
    assert_eq!((model.number, model.description.as_str()), (Some(0.25), "the best"));
    let other = Same { name: "other".into(), ..Same::default() };
    let renamed = refused(db.store.change_recorded_task(&of("a"), id, other, TaskChange::default()).await);
    assert_eq!(renamed, format!("InvalidArgument: name of task {id} is \"train\", and cannot be changed"));

    let eval = db.store.record_task(&of("a"), new_task("r", "eval")).await.unwrap();
    let link = NewLink {
        artifact_id: model.artifact.id.clone(),
        run_id: RunId::from_text("r"),
        task_id: eval.task.id.clone(),
        direction: Direction::Input,
        key: "candidate".into(),
        producer: None,
    };
    let made = db.store.record_link(&of("a"), &of("a"), link.clone()).await.unwrap();
    assert_eq!(made.producer, Some(Producer { task: "train".into(), key: "model".into() }));
    let again = refused(db.store.record_link(&of("a"), &of("a"), link.clone()).await);
    assert!(again.starts_with("AlreadyExists: task "), "{again}");
    let forged = NewLink { producer: Some(Producer { task: "x".into(), key: "model".into() }), ..link };
    let forged = refused(db.store.record_link(&of("a"), &of("a"), forged).await);
    assert!(forged.starts_with("InvalidArgument: artifact "), "{forged}");
    let of_model = LinksOf { artifacts: vec![model.artifact.id.to_string()], ..LinksOf::default() };
    let links = db.store.artifact_links(&of("a"), of_model, Query::default()).await.unwrap();
    assert!(links.total == 2 && links.items.contains(&made), "{links:?}");
    let (revision, _) = db.store.revision(&of("a"), "r").await.unwrap();
    assert_eq!(revision, before + 6, "each of it was a step");

    // What the agent reports goes on, and leaves it alone.
    let owner = db.read("a", "r").await.recurring_run_id;
    db.store.report_workflow(&of(""), scheduled("r", &owner, RuntimeState::Succeeded)).await.unwrap();
    assert_eq!(db.store.kept_task(&of("a"), id).await.unwrap().outputs.len(), 1);
    let tasks = db.store.kept_tasks(&of("a"), TasksOf::Run("r".into()), Query::default()).await.unwrap();
    assert_eq!(tasks.total, 4);
    db.store.delete_run(&of("a"), "r").await.unwrap();
    assert_eq!(db.store.artifacts(&of("a"), Query::default()).await.unwrap().total, 0);
}

pub(crate) async fn never_touches_runs_of_this_server(db: Db) {
    let ours = Trained::make(&db, "a", "one").await;
    reported(&db, "r", "two").await;
    let run = ours.run.id.as_str();
    let here = "FailedPrecondition: the run is executed by this server, which records its tasks and artifacts itself";
    assert_eq!(refused(db.store.record_task(&of("a"), new_task(run, "x")).await), here);
    let change = TaskChange { state: Some(RuntimeState::Succeeded), ..TaskChange::default() };
    for task in [&ours.load, &ours.trains[0]] {
        let (id, same) = (task.id.as_str(), Same::default());
        assert_eq!(refused(db.store.change_recorded_task(&of("a"), id, same, change.clone()).await), here);
        assert_eq!(refused(db.store.record_artifact(&of("a"), new_artifact(run, &task.id, "x")).await), here);
        // Nor is one of its tasks taken for one of another run.
        let crossed = refused(db.store.record_artifact(&of("a"), new_artifact("r", &task.id, "x")).await);
        assert_eq!(crossed, format!("NotFound: Task {id} not found"));
    }
    let inside = NewTask { parent_id: Some(ours.each.id.clone()), ..new_task("r", "x") };
    let crossed = refused(db.store.record_task(&of("a"), inside).await);
    assert_eq!(crossed, format!("NotFound: Task {} not found", ours.each.id));
    assert_eq!(db.read("a", run).await, ours.run);
    // A task that the agent has reported is the agent's.
    let nodes = db.store.kept_tasks(&of("a"), TasksOf::Run("r".into()), Query::default()).await.unwrap();
    let node = &nodes.items[0].task.id;
    let told = refused(db.store.record_artifact(&of("a"), new_artifact("r", node, "x")).await);
    assert!(told.starts_with("FailedPrecondition: task ") && told.contains("reported"), "{told}");
}

pub(crate) async fn is_no_result_for_anybody(db: Db) {
    reported(&db, "r", "one").await;
    let change = TaskChange {
        state: Some(RuntimeState::Succeeded),
        fingerprint: Some("f".into()),
        finished_at: Some(crate::backend::START),
        ..TaskChange::default()
    };
    let task = db.store.record_task(&of("a"), NewTask { change, ..new_task("r", "train") }).await.unwrap();
    let artifact = NewArtifact { metadata: Default::default(), ..new_artifact("r", &task.task.id, "model") };
    db.store.record_artifact(&of("a"), artifact).await.unwrap();
    for pipeline in ["", "train"] {
        for fingerprint in ["f", ""] {
            assert_eq!(db.store.cached(&of("a"), pipeline, fingerprint, None).await.unwrap(), None);
        }
        let metadata = serde_json::Map::new();
        let known = db.store.imported(&of("a"), pipeline, "system.Model", "s3://bucket/model", &metadata).await;
        assert_eq!(known.unwrap(), None);
    }
    assert!(!db.store.is_put_out(&of("a"), "s3://bucket/model").await.unwrap());
}

pub(crate) async fn makes_no_file_readable(db: Db) {
    reported(&db, "r", "one").await;
    let mut ours = Trained::make(&db, "a", "one more").await;
    // As the engine records what is on this host.
    ours.models[0].id = domain::ArtifactId::fresh();
    ours.models[0].uri = "/data/ns/a/runs/x/model".into();
    ours.trains[0].outputs.artifacts.insert("model".into(), vec![ours.models[0].clone()]);
    let progress = Progress { tasks: vec![ours.trains[0].clone()], ..step(&ours.run, RuntimeState::Running) };
    db.store.save_progress(&of("a"), progress).await.unwrap();
    let there = db.store.recorded(&of("a"), ours.run.id.as_str(), "train-0").await.unwrap();
    assert_eq!(there.outputs.artifacts["model"][0].uri, "/data/ns/a/runs/x/model");

    let task = db.store.record_task(&of("a"), new_task("r", "train")).await.unwrap().task.id;
    db.store.record_artifact(&of("a"), new_artifact("r", &task, "own")).await.unwrap();
    let link = NewLink {
        artifact_id: ours.models[0].id.clone(),
        run_id: RunId::from_text("r"),
        task_id: task,
        direction: Direction::Output,
        key: "taken".into(),
        producer: None,
    };
    db.store.record_link(&of("a"), &of("a"), link).await.unwrap();
    let read = db.store.recorded(&of("a"), "r", "train").await.unwrap();
    assert_eq!(read.outputs.artifacts.keys().collect::<Vec<_>>(), ["own"]);
}

pub(crate) async fn stays_in_its_namespace(db: Db) {
    reported(&db, "r", "one").await;
    let theirs = Trained::make(&db, "b", "one").await;
    let task = db.store.record_task(&of("a"), new_task("r", "train")).await.unwrap().task.id;
    let model = db.store.record_artifact(&of("a"), new_artifact("r", &task, "model")).await.unwrap().artifact.id;
    let absent = |kind: &str, id: &str| format!("NotFound: {kind} {id} not found");
    assert_eq!(refused(db.store.record_task(&of("b"), new_task("r", "x")).await), absent("Run", "r"));
    let changed = db.store.change_recorded_task(&of("b"), task.as_str(), Same::default(), TaskChange::default()).await;
    assert_eq!(refused(changed), absent("Task", task.as_str()));
    let made = db.store.record_artifact(&of("b"), new_artifact("r", &task, "x")).await;
    assert_eq!(refused(made), absent("Task", task.as_str()));
    let link = |artifact: &domain::ArtifactId| NewLink {
        artifact_id: artifact.clone(),
        run_id: RunId::from_text("r"),
        task_id: task.clone(),
        direction: Direction::Input,
        key: "data".into(),
        producer: None,
    };
    // Whoever may see an artifact of another namespace cannot lead it into this one.
    for seen in ["a", "b"] {
        let foreign = db.store.record_link(&of("a"), &of(seen), link(&theirs.data.id)).await;
        assert_eq!(refused(foreign), absent("Artifact", theirs.data.id.as_str()), "seen by a grant in {seen}");
    }
    let stolen = db.store.record_link(&of("b"), &of("b"), link(&model)).await;
    assert_eq!(refused(stolen), absent("Artifact", model.as_str()));
    let inside = NewTask { parent_id: Some(theirs.each.id.clone()), ..new_task("r", "x") };
    let inside = refused(db.store.record_task(&of("a"), inside).await);
    assert_eq!(inside, absent("Task", theirs.each.id.as_str()));
}
