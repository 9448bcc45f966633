//! What those see who watch a run.
use crate::backend::{Db, START, new_task, of, refused, step};
use domain::{Run, RuntimeState, StateChange, Task};
use futures::FutureExt as _;
use std::collections::BTreeMap;
use store::{Progress, Seen, Watched};

const PENDING: RuntimeState = RuntimeState::Pending;
const RUNNING: RuntimeState = RuntimeState::Running;
const SUCCEEDED: RuntimeState = RuntimeState::Succeeded;

/// Tasks whose ids are not in the order in which they are made.
fn tasks(run: &Run, count: usize) -> Vec<Task> {
    (0..count).map(|at| new_task(run, &format!("task {at}"))).collect()
}

/// Brings tasks to a state in one step of their run.
async fn all_reach(db: &Db, run: &Run, tasks: &mut [Task], state: RuntimeState, run_state: RuntimeState) -> u64 {
    for task in tasks.iter_mut() {
        task.state = state;
        task.history.push(StateChange::new(START, state, None));
    }
    let progress = Progress { tasks: tasks.to_vec(), ..step(run, run_state) };
    let revision = db.store.save_progress(&of("a"), progress).await.unwrap();
    tasks.iter_mut().flat_map(|task| &mut task.history).for_each(|change| change.stamp(revision));
    revision
}

/// Somebody who watches, and writes down what they are told.
#[derive(Default)]
struct Watcher {
    seen: Seen,
    told: BTreeMap<String, Vec<RuntimeState>>,
    run: Vec<RuntimeState>,
}

impl Watcher {
    async fn next(&mut self, db: &Db, run: &Run) -> Watched {
        let watched = db.store.watched(&of("a"), run.id.as_str(), self.seen.clone()).await.unwrap();
        for task in &watched.tasks {
            let states = watched.changes(&task.history).map(|change| change.state);
            self.told.entry(task.path.clone()).or_default().extend(states);
        }
        if watched.after.is_none() {
            self.run.extend(watched.changes(&watched.run.history).map(|change| change.state));
        }
        self.seen = watched.seen();
        watched
    }

    /// All that there is now. Gives the numbers of tasks in the parts.
    async fn all(&mut self, db: &Db, run: &Run) -> Vec<usize> {
        let mut sizes = Vec::new();
        loop {
            sizes.push(self.next(db, run).await.tasks.len());
            if self.seen.part.is_none() {
                return sizes;
            }
        }
    }
}

pub(crate) async fn see_each_change_once_in_parts(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "first").await;
    let mut all = tasks(&run, 1_200);
    all_reach(&db, &run, &mut all, PENDING, RUNNING).await;
    let mut watcher = Watcher::default();
    assert_eq!(watcher.all(&db, &run).await, [500, 500, 200]);
    all_reach(&db, &run, &mut all[..3], RUNNING, RUNNING).await;
    assert_eq!(watcher.all(&db, &run).await, [3]);
    all_reach(&db, &run, &mut all, SUCCEEDED, RUNNING).await;
    let last = watcher.next(&db, &run).await;
    assert!(!last.is_last() && last.after.is_some());
    db.reach(&run, SUCCEEDED).await;
    let mut ends = Vec::new();
    while !ends.last().is_some_and(|last| *last) {
        ends.push(watcher.next(&db, &run).await.is_last());
    }
    assert_eq!(ends, [false, false, true], "the end is a step of its own, and comes after the rest of the other");
    for (at, task) in all.iter().enumerate() {
        let expect: &[_] = if at < 3 { &[PENDING, RUNNING, SUCCEEDED] } else { &[PENDING, SUCCEEDED] };
        assert_eq!(watcher.told[&task.path], expect, "{at}");
    }
    assert_eq!(watcher.run, [PENDING, RUNNING, SUCCEEDED]);
    // Who comes back after the end hears that it is one, and nothing else.
    let again = watcher.next(&db, &run).await;
    assert!(again.is_last() && again.tasks.is_empty());
    assert_eq!(watcher.run.len(), 3);
}

pub(crate) async fn miss_nothing_that_happens_between_parts(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "first").await;
    let mut all = tasks(&run, 1_100);
    all_reach(&db, &run, &mut all, PENDING, RUNNING).await;
    let mut watcher = Watcher::default();
    // Between any two parts every task changes, and new ones come into being.
    for state in [RUNNING, PENDING, RUNNING, PENDING] {
        watcher.next(&db, &run).await;
        all_reach(&db, &run, &mut all, state, RUNNING).await;
        let mut more = tasks(&run, 100);
        for (at, task) in more.iter_mut().enumerate() {
            task.path = format!("more {} {at}", all.len());
        }
        all_reach(&db, &run, &mut more, PENDING, RUNNING).await;
        all.extend(more);
    }
    all_reach(&db, &run, &mut all, SUCCEEDED, SUCCEEDED).await;
    while !watcher.next(&db, &run).await.is_last() {}
    assert_eq!(watcher.told.len(), all.len());
    for task in &all {
        let expect: Vec<_> = task.history.iter().map(|change| change.state).collect();
        assert_eq!(watcher.told[&task.path], expect, "{}", task.path);
    }
}

pub(crate) async fn get_no_more_than_a_mebibyte_or_one_task(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "first").await;
    let mut all = tasks(&run, 10);
    all.sort_by(|one, other| one.id.cmp(&other.id));
    for (task, kib) in all.iter_mut().zip([300, 300, 300, 300, 2000, 1, 1, 2000, 600, 600]) {
        task.outputs.parameters.insert("text".into(), "x".repeat(kib << 10).into());
    }
    all_reach(&db, &run, &mut all, SUCCEEDED, SUCCEEDED).await;
    let mut watcher = Watcher::default();
    assert_eq!(watcher.all(&db, &run).await, [3, 1, 1, 2, 1, 1, 1]);
    assert!(watcher.told.values().all(|told| told == &[SUCCEEDED]));
    // Artifacts weigh too.
    let artifact = |name: String| domain::Artifact {
        id: domain::ArtifactId::fresh(),
        name,
        kind: "system.Model".into(),
        schema_version: String::new(),
        instance_schema: String::new(),
        uri: "x".repeat(400 << 10),
        metadata: Default::default(),
        materialized: true,
    };
    let run = db.run("a", &experiment, "second").await;
    let mut all = tasks(&run, 3);
    for task in &mut all {
        task.outputs.artifacts.insert("model".into(), vec![artifact(task.name.clone())]);
    }
    all_reach(&db, &run, &mut all, SUCCEEDED, SUCCEEDED).await;
    assert_eq!(Watcher::default().all(&db, &run).await, [2, 1]);
}

pub(crate) async fn are_woken_by_every_write(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let (run, other) = (db.run("a", &experiment, "first").await, db.run("a", &experiment, "second").await);
    let id = run.id.as_str();
    let mut writes = db.store.writes(&of("a"), id).await.unwrap();
    let mut idle = db.store.writes(&of("a"), other.id.as_str()).await.unwrap();
    for what in ["step", "terminate", "end", "retry", "delete"] {
        assert!(writes.next().now_or_never().is_none(), "before {what}");
        match what {
            "terminate" => db.store.terminate_run(&of("a"), id).await.unwrap(),
            "end" => db.reach(&run, RuntimeState::Failed).await,
            "retry" => db.store.retry_run(&of("a"), id).await.unwrap(),
            "delete" => db.store.delete_run(&of("a"), id).await.unwrap(),
            _ => db.reach(&run, RUNNING).await,
        }
        assert!(writes.next().now_or_never().is_some(), "{what}");
    }
    assert!(idle.next().now_or_never().is_none());
}

pub(crate) async fn can_leave_tasks_for_the_next_part(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "first").await;
    let mut all = tasks(&run, 5);
    all_reach(&db, &run, &mut all, SUCCEEDED, SUCCEEDED).await;
    let mut seen = Seen::default();
    let mut told = Vec::new();
    loop {
        let mut watched = db.store.watched(&of("a"), run.id.as_str(), seen).await.unwrap();
        watched.truncate(2);
        told.extend(watched.tasks.iter().map(|task| task.id.clone()));
        seen = watched.seen();
        assert_eq!(watched.is_last(), told.len() == 5);
        if watched.is_last() {
            break;
        }
    }
    all.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(told, all.into_iter().map(|task| task.id).collect::<Vec<_>>());
    assert_eq!(refused(db.store.watched(&of("a"), "x", Seen::default()).await), "NotFound: Run x not found");
}
