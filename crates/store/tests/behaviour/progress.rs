//! What the executor writes of a run.
use crate::backend::{Db, START, new_task, of, refused, step};
use domain::{RuntimeState, StateChange, Timestamp};
use store::Progress;

pub(crate) async fn is_written_whole(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "first").await;
    let before = db.store.execution(&of("a"), &run.id).await.unwrap();
    assert_eq!((&before.run, before.engine.as_str()), (&run, ""));

    let now = db.clock.advance(1_000_000);
    let task = new_task(&run, "train");
    let progress =
        Progress { engine: "{\"step\":1}".into(), tasks: vec![task.clone()], ..step(&run, RuntimeState::Running) };
    db.store.save_progress(&of("a"), progress).await.unwrap();
    let after = db.store.execution(&of("a"), &run.id).await.unwrap();
    assert_eq!(after.engine, "{\"step\":1}");
    assert_eq!((after.run.state, after.run.finished_at), (RuntimeState::Running, None));
    assert_eq!(after.run.tasks, [task]);
    let change = |revision, at, state| StateChange { revision, ..StateChange::new(at, state, None) };
    let mut history = vec![change(1, START, RuntimeState::Pending), change(2, now, RuntimeState::Running)];
    assert_eq!(after.run.history, history);

    // The same state again is no change.
    db.clock.advance(1_000_000);
    db.store.save_progress(&of("a"), step(&run, RuntimeState::Running)).await.unwrap();
    assert_eq!(db.read("a", run.id.as_str()).await.history, history);

    let end = db.clock.advance(1_000_000);
    let error = Some("train: exit code 1".to_owned());
    let failed = Progress { error: error.clone(), ..step(&run, RuntimeState::Failed) };
    db.store.save_progress(&of("a"), failed).await.unwrap();
    let after = db.read("a", run.id.as_str()).await;
    let failed = StateChange::new(end, RuntimeState::Failed, error.clone());
    history.push(StateChange { revision: 4, ..failed });
    assert_eq!((after.state, after.finished_at, after.error), (RuntimeState::Failed, Some(end), error));
    assert_eq!(after.history, history);
}

pub(crate) async fn keeps_a_run_canceling_until_it_ends(db: Db) {
    let experiment = db.experiment("a", "train").await;
    for end in [RuntimeState::Failed, RuntimeState::Succeeded] {
        let run = db.run("a", &experiment, end.as_str()).await;
        db.reach(&run, RuntimeState::Running).await;
        db.store.terminate_run(&of("a"), run.id.as_str()).await.unwrap();
        for state in [RuntimeState::Running, RuntimeState::Pending, RuntimeState::Canceling] {
            db.reach(&run, state).await;
            let now = db.read("a", run.id.as_str()).await;
            assert_eq!((now.state, now.history.len()), (RuntimeState::Canceling, 3), "after {state}");
        }
        db.reach(&run, end).await;
        let ended = db.read("a", run.id.as_str()).await;
        assert_eq!((ended.state, ended.history.len()), (end, 4));
        assert_eq!(ended.terminated_by.as_deref(), Some("jane"), "who asked for it is remembered");
    }
}

pub(crate) async fn of_a_deleted_run_is_not_found(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "first").await;
    db.store.delete_run(&of("a"), run.id.as_str()).await.unwrap();
    let progress = Progress { tasks: vec![new_task(&run, "train")], ..step(&run, RuntimeState::Running) };
    let gone = format!("NotFound: Run {} not found", run.id);
    assert_eq!(refused(db.store.save_progress(&of("a"), progress).await), gone);
    assert_eq!(refused(db.store.execution(&of("a"), &run.id).await), gone);
}

pub(crate) async fn updates_tasks(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "first").await;
    let save = async |tasks: &[domain::Task]| {
        let progress = Progress { tasks: tasks.to_vec(), ..step(&run, RuntimeState::Running) };
        db.store.save_progress(&of("a"), progress).await.unwrap();
        db.read("a", run.id.as_str()).await.tasks
    };
    let (one, mut two) = (new_task(&run, "one"), new_task(&run, "two"));
    let mut both = vec![one.clone(), two.clone()];
    both.sort_by(|x, y| x.id.cmp(&y.id));
    assert_eq!(save(&both).await, both);

    two.state = RuntimeState::Failed;
    two.attempt = 2;
    two.started_at = Some(Timestamp(START.0 + 1));
    two.finished_at = Some(Timestamp(START.0 + 2));
    two.error = Some("exit code 1".into());
    let failed = StateChange::new(START, RuntimeState::Failed, two.error.clone());
    two.history = vec![StateChange { revision: 2, ..failed }];
    let mut both = vec![one, two.clone()];
    both.sort_by(|x, y| x.id.cmp(&y.id));
    assert_eq!(save(std::slice::from_ref(&two)).await, both, "what a step does not name stays");
    assert_eq!(save(&[]).await, both);
}

pub(crate) async fn finds_what_has_not_ended(db: Db) {
    let (ours, theirs) = (db.experiment("a", "train").await, db.experiment("b", "train").await);
    let mut expect = Vec::new();
    for state in RuntimeState::ALL {
        for (home, experiment) in [("a", &ours), ("b", &theirs)] {
            db.clock.advance(1);
            let run = db.run(home, experiment, state.as_str()).await;
            db.reach(&run, state).await;
            if !state.is_final() {
                expect.push((run.id, run.namespace));
            }
        }
    }
    assert_eq!(db.store.unfinished_runs(&of("")).await.unwrap(), expect, "of all tenants, oldest first");
    for home in ["a", "*"] {
        let answer = refused(db.store.unfinished_runs(&of(home)).await);
        assert!(answer.starts_with("Internal: "), "{answer}");
    }
    // An archived run runs on.
    db.store.archive_experiment(&of("a"), ours.id.as_str()).await.unwrap();
    assert_eq!(db.store.unfinished_runs(&of("")).await.unwrap(), expect);
}

pub(crate) async fn is_a_step_whoever_makes_it(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "first").await;
    let id = run.id.as_str();
    let mut expect = vec![(RuntimeState::Pending, 1)];
    let is = async |expect: &[(RuntimeState, u64)]| {
        let history = db.read("a", id).await.history;
        assert_eq!(history.iter().map(|change| (change.state, change.revision)).collect::<Vec<_>>(), expect);
        let (revision, ended) = db.store.revision(&of("a"), id).await.unwrap();
        assert_eq!((revision, ended), (expect.last().unwrap().1, expect.last().unwrap().0.is_final()));
    };
    is(&expect).await;
    for (state, revision) in [(RuntimeState::Running, 2), (RuntimeState::Canceling, 3), (RuntimeState::Failed, 4)] {
        match state {
            RuntimeState::Canceling => db.store.terminate_run(&of("a"), id).await.unwrap(),
            state => db.reach(&run, state).await,
        }
        expect.push((state, revision));
        is(&expect).await;
    }
    db.store.retry_run(&of("a"), id).await.unwrap();
    expect.push((RuntimeState::Pending, 5));
    is(&expect).await;
    // Who is refused, or asks for what is so already, makes no step.
    db.store.retry_run(&of("a"), id).await.unwrap_err();
    is(&expect).await;
    for _ in ["once", "again"] {
        db.store.terminate_run(&of("a"), id).await.unwrap();
    }
    expect.push((RuntimeState::Canceling, 6));
    is(&expect).await;
}

pub(crate) async fn goes_on_after_an_end(db: Db) {
    // A retry takes an ended run up again.
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "first").await;
    let read = async || db.read("a", run.id.as_str()).await;
    db.reach(&run, RuntimeState::Failed).await;
    let first_end = read().await.finished_at;
    assert_eq!(first_end, Some(START));
    db.clock.advance(1_000_000);
    db.reach(&run, RuntimeState::Failed).await;
    assert_eq!(read().await.finished_at, first_end, "an end that is told twice was the first time");
    db.reach(&run, RuntimeState::Running).await;
    assert_eq!(read().await.finished_at, None);
    assert_eq!(db.store.unfinished_runs(&of("")).await.unwrap().len(), 1);
    let end = db.clock.advance(1_000_000);
    db.reach(&run, RuntimeState::Succeeded).await;
    assert_eq!(read().await.finished_at, Some(end));
}
