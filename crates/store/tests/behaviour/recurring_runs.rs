//! Recurring runs.
use crate::backend::{Db, START, new_recurring_run, of, refused};
use domain::{
    Executes, ExperimentId, Namespace, PipelineId, PipelineVersionId, Source, Timestamp, Trigger, list::Query,
};
use store::ListScope;

pub(crate) async fn are_read_back(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let (pipeline_id, version_id) = (PipelineId::from_text("p"), PipelineVersionId::from_text("v"));
    let version = Source::Version { pipeline_id: pipeline_id.clone(), version_id, version_name: "one".into() };
    let templates = [
        Executes::Pinned { source: Source::Inline, spec: "spec: text".into() },
        Executes::Pinned { source: version, spec: "spec: text".into() },
        Executes::Latest(pipeline_id),
    ];
    let (start, end) = (Some(Timestamp(1_500_000)), Some(Timestamp(i64::MAX)));
    let cron = "0 0 9 * * *".to_owned();
    let triggers = [
        Trigger::Once,
        Trigger::Cron { cron: cron.clone(), zone: String::new(), start: None, end: None },
        Trigger::Cron { cron, zone: String::new(), start, end },
        Trigger::Periodic { interval_seconds: 60, start: None, end },
        Trigger::Periodic { interval_seconds: i64::MAX, start, end: None },
    ];
    for executes in &templates {
        for (index, trigger) in triggers.iter().enumerate() {
            let mut new = new_recurring_run(&experiment.id, "nightly");
            (new.executes, new.trigger) = (executes.clone(), trigger.clone());
            (new.enabled, new.catchup) = (index % 2 == 0, index % 3 == 0);
            let made = db.store.create_recurring_run(&of("a"), new.clone()).await.unwrap();
            assert_eq!(made.namespace, Namespace::parse("a").unwrap());
            assert_eq!((&made.experiment_id, &made.executes, &made.trigger), (&experiment.id, executes, trigger));
            assert_eq!((&made.name, &made.description), (&new.name, &new.description));
            assert_eq!((&made.parameters, &made.pipeline_root), (&new.parameters, &new.pipeline_root));
            assert_eq!((made.created_by.as_str(), made.service_account.as_str()), ("jane", "runner"));
            assert_eq!((made.created_at, made.updated_at), (START, START));
            assert_eq!((made.max_concurrency, made.catchup, made.enabled), (2, new.catchup, new.enabled));
            assert_eq!(db.store.recurring_run(&of("a"), made.id.as_str()).await.unwrap(), made);
        }
    }
    let all = db.store.recurring_runs(&of("a"), ListScope::Everything, Query::default()).await.unwrap();
    assert_eq!(all.total, 15, "names need not be unique");
    let made = db.store.experiment(&of("a"), experiment.id.as_str()).await.unwrap();
    assert_eq!(made.last_run_at, Timestamp(0), "a schedule is no run");
    for id in ["", "x", "' OR 1=1 --", "\0"] {
        let refusal = refused(db.store.recurring_run(&of("a"), id).await);
        assert_eq!(refusal, format!("NotFound: RecurringRun {id} not found"));
    }
}

pub(crate) async fn need_an_experiment_of_their_namespace(db: Db) {
    let foreign = db.experiment("a", "train").await;
    for id in [foreign.id.clone(), ExperimentId::from_text("x")] {
        let refusal = refused(db.store.create_recurring_run(&of("b"), new_recurring_run(&id, "nightly")).await);
        assert_eq!(refusal, format!("NotFound: Experiment {id} not found"));
    }
    let outside = refused(db.store.create_recurring_run(&of("*"), new_recurring_run(&foreign.id, "nightly")).await);
    assert_eq!(outside, "InvalidArgument: the request does not name a namespace");
    for home in ["a", "b"] {
        let all = db.store.recurring_runs(&of(home), ListScope::Everything, Query::default()).await.unwrap();
        assert_eq!(all.total, 0);
    }
}

pub(crate) async fn are_enabled_and_disabled(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let made = db.recurring_run("a", &experiment, "nightly").await;
    let spared = db.recurring_run("a", &experiment, "hourly").await;
    let id = made.id.as_str();
    let mut changed = START;
    for (enable, enabled) in [(true, true), (false, true), (false, false), (true, false), (true, true)] {
        assert_eq!(db.store.recurring_run(&of("a"), id).await.unwrap().enabled, enabled);
        let now = db.clock.advance(5_000_000);
        match enable {
            true => db.store.enable_recurring_run(&of("a"), id).await.unwrap(),
            false => db.store.disable_recurring_run(&of("a"), id).await.unwrap(),
        }
        if enable != enabled {
            changed = now;
        }
        let mut expect = made.clone();
        (expect.enabled, expect.updated_at) = (enable, changed);
        assert_eq!(db.store.recurring_run(&of("a"), id).await.unwrap(), expect);
    }
    assert_eq!(db.store.recurring_run(&of("a"), spared.id.as_str()).await.unwrap(), spared);
    let gone = "NotFound: RecurringRun x not found";
    assert_eq!(refused(db.store.enable_recurring_run(&of("a"), "x").await), gone);
    assert_eq!(refused(db.store.disable_recurring_run(&of("a"), "x").await), gone);
}

pub(crate) async fn are_disabled_with_their_experiment(db: Db) {
    let (one, two) = (db.experiment("a", "one").await, db.experiment("a", "two").await);
    let (inside, idle) = (db.recurring_run("a", &one, "inside").await, db.recurring_run("a", &one, "idle").await);
    let outside = db.recurring_run("a", &two, "outside").await;
    db.store.disable_recurring_run(&of("a"), idle.id.as_str()).await.unwrap();
    let state = async |id: &str| {
        let found = db.store.recurring_run(&of("a"), id).await.unwrap();
        (found.enabled, found.updated_at)
    };
    let now = db.clock.advance(1_000_000);
    db.store.archive_experiment(&of("a"), one.id.as_str()).await.unwrap();
    let assert_stopped = async || {
        assert_eq!(state(inside.id.as_str()).await, (false, now));
        assert_eq!(state(idle.id.as_str()).await, (false, START), "it was disabled before");
        assert_eq!(state(outside.id.as_str()).await, (true, START));
    };
    assert_stopped().await;
    db.clock.advance(1_000_000);
    db.store.archive_experiment(&of("a"), one.id.as_str()).await.unwrap();
    db.store.unarchive_experiment(&of("a"), one.id.as_str()).await.unwrap();
    assert_stopped().await;
}

pub(crate) async fn are_deleted_without_their_runs(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let (made, spared) =
        (db.recurring_run("a", &experiment, "one").await, db.recurring_run("a", &experiment, "two").await);
    let run = db.run("a", &experiment, "one-1").await;
    let id = made.id.as_str();
    db.store.delete_recurring_run(&of("a"), id).await.unwrap();
    let gone = format!("NotFound: RecurringRun {id} not found");
    assert_eq!(refused(db.store.recurring_run(&of("a"), id).await), gone);
    assert_eq!(refused(db.store.delete_recurring_run(&of("a"), id).await), gone);
    let left = db.store.recurring_runs(&of("a"), ListScope::Everything, Query::default()).await.unwrap();
    assert_eq!(left.items, std::slice::from_ref(&spared));
    assert_eq!(db.read("a", run.id.as_str()).await, run);
    // Their experiment can go before them.
    db.store.delete_experiment(&of("a"), experiment.id.as_str()).await.unwrap();
    db.store.recurring_run(&of("a"), spared.id.as_str()).await.unwrap();
    db.store.delete_recurring_run(&of("a"), spared.id.as_str()).await.unwrap();
}

pub(crate) async fn are_listed_by_experiment_or_all(db: Db) {
    let (one, two) = (db.experiment("a", "one").await, db.experiment("a", "two").await);
    let of_one = db.recurring_run("a", &one, "first").await;
    db.recurring_run("a", &two, "second").await;
    let list = async |scope: ListScope| db.store.recurring_runs(&of("a"), scope, Query::default()).await.unwrap();
    assert_eq!(list(ListScope::Everything).await.total, 2);
    let found = list(ListScope::Experiment(one.id.to_string())).await;
    assert_eq!((found.total, found.items), (1, vec![of_one]));
    for id in ["", "x", "%"] {
        assert_eq!(list(ListScope::Experiment(id.to_owned())).await.total, 0);
    }
}
