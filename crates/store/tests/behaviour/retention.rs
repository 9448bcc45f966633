//! Runs that are not to be kept.
use crate::backend::{Db, START, new_task, of, refused, step};
use domain::{Experiment, Namespace, Run, RunId, RuntimeState, list::Query};
use std::time::Duration;
use store::{ListScope, Progress, Retention};

const HOUR: i64 = 3_600_000_000;

/// So many runs, one an hour, that have ended at once.
async fn ended(db: &Db, home: &str, experiment: &Experiment, count: usize) -> Vec<Run> {
    let mut runs = Vec::new();
    for number in 0..count {
        let run = db.run(home, experiment, &format!("run {number}")).await;
        let progress = Progress { tasks: vec![new_task(&run, "train")], ..step(&run, RuntimeState::Succeeded) };
        db.store.save_progress(&of(home), progress).await.unwrap();
        runs.push(run);
        db.clock.advance(HOUR);
    }
    runs
}

async fn expired(db: &Db, retention: Retention, most: u32) -> Vec<RunId> {
    let expired = db.store.expired_runs(&of("a"), retention, most).await.unwrap();
    expired.into_iter().map(|run| run.id).collect()
}

fn ids(runs: &[Run]) -> Vec<RunId> {
    runs.iter().map(|run| run.id.clone()).collect()
}

pub(crate) async fn is_by_age_and_count_and_never_of_what_runs(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let other = db.experiment("b", "train").await;
    let working = db.run("a", &experiment, "working").await;
    let runs = ended(&db, "a", &experiment, 6).await;
    ended(&db, "b", &other, 3).await;
    for run in &runs[1..3] {
        db.store.archive_run(&of("a"), run.id.as_str()).await.unwrap();
    }
    // Nine hours have gone by since the first was made, and three in which the others were.
    let hours = |hours: u64| Some(Duration::from_secs(hours * 3600 + 60));
    let none = Retention::default();
    let table = [
        (none, vec![]),
        (Retention { max_age: hours(6), ..none }, ids(&runs[..3])),
        (Retention { max_age: hours(100), ..none }, vec![]),
        (Retention { max_count: Some(4), ..none }, ids(&runs[..2])),
        (Retention { max_count: Some(7), ..none }, vec![]),
        (Retention { max_count: Some(5), max_age: hours(7), ..none }, ids(&runs[..2])),
        (Retention { max_age: hours(3), archived_only: true, ..none }, ids(&runs[1..3])),
        (Retention { max_count: Some(1), archived_only: true, ..none }, ids(&runs[1..2])),
    ];
    for (retention, expect) in table {
        assert_eq!(expired(&db, retention, 100).await, expect, "{retention:?}");
        assert_eq!(expired(&db, retention, 1).await, expect[..expect.len().min(1)], "{retention:?}");
    }
    assert_eq!(working.created_at, START, "it is the oldest, and stays");
    let all = db.store.namespaces_with_runs(&of("")).await.unwrap();
    assert_eq!(all.iter().map(Namespace::as_str).collect::<Vec<_>>(), ["a", "b"]);
    refused(db.store.namespaces_with_runs(&of("a")).await);
}

pub(crate) async fn deletes_what_a_client_would(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let runs = ended(&db, "a", &experiment, 3).await;
    let retried = db.run("a", &experiment, "retried").await;
    db.reach(&retried, RuntimeState::Failed).await;
    db.store.retry_run(&of("a"), retried.id.as_str()).await.unwrap();
    let asked = vec![runs[0].id.clone(), retried.id.clone(), RunId::from_text("gone"), runs[1].id.clone()];
    let gone = db.store.delete_ended_runs(&of("a"), asked.clone()).await.unwrap();
    assert_eq!(gone, [runs[0].id.clone(), runs[1].id.clone()]);
    assert!(db.store.delete_ended_runs(&of("b"), vec![runs[2].id.clone()]).await.unwrap().is_empty(), "not its own");
    assert!(db.store.delete_ended_runs(&of("a"), asked).await.unwrap().is_empty());
    let left = db.store.runs(&of("a"), ListScope::Everything, Query::default()).await.unwrap();
    let mut left_ids: Vec<_> = left.items.iter().map(|run| run.id.clone()).collect();
    left_ids.sort();
    let mut expect = vec![runs[2].id.clone(), retried.id];
    expect.sort();
    assert_eq!((left_ids, left.total), (expect, 2));
}
