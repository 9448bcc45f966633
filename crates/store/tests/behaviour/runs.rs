//! Runs, as clients see them.
use crate::backend::{Db, START, new_run, new_task, of, refused, step};
use domain::{ExperimentId, Namespace, RuntimeState, Source, StateChange, StorageState, Timestamp, list::Query};
use store::{ListScope, Progress};

pub(crate) async fn are_read_back(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let (pipeline, new) = (db.pipeline("a", "churn").await, new_run(&experiment.id, "first"));
    let version = db.version("a", &pipeline, "one").await;
    let source = Source::Version {
        pipeline_id: pipeline.id.clone(),
        version_id: version.id.clone(),
        version_name: version.name.clone(),
    };
    for source in [Source::Inline, source] {
        let mut new = new.clone();
        new.source = source.clone();
        let made = db.store.create_run(&of("a"), new.clone()).await.unwrap();
        assert_eq!(made.namespace, Namespace::parse("a").unwrap());
        assert_eq!((&made.experiment_id, &made.source), (&experiment.id, &source));
        assert_eq!((&made.name, &made.description, &*made.spec), (&new.name, &new.description, &*new.spec));
        assert_eq!((&made.parameters, &made.pipeline_root), (&new.parameters, &new.pipeline_root));
        assert_eq!((made.created_by.as_str(), made.service_account.as_str()), ("jane", "runner"));
        assert_eq!((made.created_at, made.scheduled_at, made.finished_at), (START, START, None));
        assert_eq!((made.state, made.storage_state), (RuntimeState::Pending, StorageState::Available));
        let pending = StateChange::new(START, RuntimeState::Pending, None);
        assert_eq!(made.history, [StateChange { revision: 1, ..pending }]);
        assert_eq!((&made.error, &made.terminated_by), (&None, &None));
        assert!(made.tasks.is_empty() && made.recurring_run_id.is_empty());
        assert_eq!(db.read("a", made.id.as_str()).await, made);
    }
    // Its definition is a copy.
    db.store.delete_pipeline(&of("a"), pipeline.id.as_str(), store::Cascade::Versions).await.unwrap();
    assert_eq!(db.store.runs(&of("a"), ListScope::Everything, Query::default()).await.unwrap().total, 2);
    assert_eq!(refused(db.store.run(&of("a"), "x").await), "NotFound: Run x not found");
}

pub(crate) async fn need_an_experiment_of_their_namespace(db: Db) {
    let foreign = db.experiment("a", "train").await;
    for id in [foreign.id.clone(), ExperimentId::from_text("x")] {
        let refusal = refused(db.store.create_run(&of("b"), new_run(&id, "first")).await);
        assert_eq!(refusal, format!("NotFound: Experiment {id} not found"));
    }
    let outside = refused(db.store.create_run(&of("*"), new_run(&foreign.id, "first")).await);
    assert_eq!(outside, "InvalidArgument: the request does not name a namespace");
    for home in ["a", "b"] {
        assert_eq!(db.store.runs(&of(home), ListScope::Everything, Query::default()).await.unwrap().total, 0);
    }
    let experiment = db.store.experiment(&of("a"), foreign.id.as_str()).await.unwrap();
    assert_eq!(experiment.last_run_at, Timestamp(0), "what was refused left no trace");
}

pub(crate) async fn are_archived_alone(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let (run, other) = (db.run("a", &experiment, "one").await, db.run("a", &experiment, "two").await);
    db.reach(&run, RuntimeState::Running).await;
    let id = run.id.as_str();
    for _ in ["once", "again"] {
        db.store.archive_run(&of("a"), id).await.unwrap();
        let archived = db.read("a", id).await;
        assert_eq!((archived.storage_state, archived.state), (StorageState::Archived, RuntimeState::Running));
    }
    let spared = db.read("a", other.id.as_str()).await;
    assert_eq!(spared.storage_state, StorageState::Available);
    for _ in ["once", "again"] {
        db.store.unarchive_run(&of("a"), id).await.unwrap();
        assert_eq!(db.read("a", id).await.storage_state, StorageState::Available);
    }
    assert_eq!(refused(db.store.archive_run(&of("a"), "x").await), "NotFound: Run x not found");
    assert_eq!(refused(db.store.unarchive_run(&of("a"), "x").await), "NotFound: Run x not found");
}

pub(crate) async fn stay_archived_with_their_experiment(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "one").await;
    let (eid, id) = (experiment.id.as_str(), run.id.as_str());
    db.store.archive_experiment(&of("a"), eid).await.unwrap();
    let text =
        format!("FailedPrecondition: run {id} belongs to experiment {eid}, which is archived: unarchive that first");
    assert_eq!(refused(db.store.unarchive_run(&of("a"), id).await), text);
    assert_eq!(db.read("a", id).await.storage_state, StorageState::Archived);
    db.store.unarchive_experiment(&of("a"), eid).await.unwrap();
    db.store.unarchive_run(&of("a"), id).await.unwrap();
    assert_eq!(db.read("a", id).await.storage_state, StorageState::Available);
}

pub(crate) async fn are_deleted_with_their_tasks(db: Db) {
    let experiment = db.experiment("a", "train").await;
    for state in RuntimeState::ALL {
        let run = db.run("a", &experiment, state.as_str()).await;
        let task = new_task(&run, "train");
        let progress = Progress { tasks: vec![task], ..step(&run, state) };
        db.store.save_progress(&of("a"), progress).await.unwrap();
        let id = run.id.as_str();
        db.store.delete_run(&of("a"), id).await.unwrap();
        let gone = format!("NotFound: Run {id} not found");
        assert_eq!(refused(db.store.run(&of("a"), id).await), gone);
        assert_eq!(refused(db.store.delete_run(&of("a"), id).await), gone);
        assert_eq!(refused(db.store.execution(&of("a"), &run.id).await), gone);
    }
    assert_eq!(db.store.unfinished_runs(&of("")).await.unwrap(), []);
    assert_eq!(db.store.runs(&of("a"), ListScope::Everything, Query::default()).await.unwrap().total, 0);
}

pub(crate) async fn are_terminated_once(db: Db) {
    let experiment = db.experiment("a", "train").await;
    for before in RuntimeState::ALL {
        let run = db.run("a", &experiment, before.as_str()).await;
        db.reach(&run, before).await;
        let id = run.id.as_str();
        let now = db.clock.advance(1_000_000);
        let answer = db.store.terminate_run(&of("a"), id).await;
        let run = db.read("a", id).await;
        if before.is_final() {
            let text = format!("InvalidArgument: run {id} has ended as {before} and cannot be terminated");
            assert_eq!(refused(answer), text);
            assert_eq!((run.state, run.terminated_by), (before, None));
            continue;
        }
        answer.unwrap();
        assert_eq!(run.state, RuntimeState::Canceling);
        assert_eq!(run.finished_at, None, "the executor says when it ends");
        let history = run.history.clone();
        if before != RuntimeState::Canceling {
            assert_eq!(run.terminated_by.as_deref(), Some("jane"));
            let last = StateChange::new(now, RuntimeState::Canceling, None);
            let revision = db.store.revision(&of("a"), id).await.unwrap().0;
            assert_eq!(history.last(), Some(&StateChange { revision, ..last }));
        }
        db.store.terminate_run(&of("a"), id).await.expect("asking twice is fine");
        assert_eq!(db.read("a", id).await.history, history);
    }
    assert_eq!(refused(db.store.terminate_run(&of("a"), "x").await), "NotFound: Run x not found");
}
