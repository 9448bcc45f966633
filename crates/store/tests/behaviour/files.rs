//! What is asked of a run before the files of a task are read.
use crate::backend::{Db, new_task, of, refused, step};
use domain::{RuntimeState, Task};
use store::Progress;

pub(crate) async fn are_of_a_task_by_id_or_name(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let (run, other) = (db.run("a", &experiment, "run").await, db.run("a", &experiment, "other").await);
    let first = Task { attempt: 2, ..new_task(&run, "first") };
    // Its name is what the other is found by.
    let second = new_task(&run, first.id.as_str());
    let elsewhere = new_task(&other, "elsewhere");
    for (run, tasks) in [(&run, vec![first.clone(), second.clone()]), (&other, vec![elsewhere.clone()])] {
        let progress = Progress { engine: "{\"of\":1}".into(), tasks, ..step(run, RuntimeState::Running) };
        db.store.save_progress(&of("a"), progress).await.unwrap();
    }
    let id = run.id.as_str();
    for (node, task) in [("first", &first), (first.id.as_str(), &first), (second.id.as_str(), &second)] {
        assert_eq!(db.store.node(&of("a"), id, node).await.unwrap().task, *task, "{node}");
        let recorded = db.store.recorded(&of("a"), id, node).await.unwrap();
        assert_eq!(&recorded, task, "{node}");
    }
    for node in ["elsewhere", elsewhere.id.as_str(), "First", "fir%", ""] {
        let words = format!("NotFound: Task {node} not found");
        assert_eq!(refused(db.store.node(&of("a"), id, node).await), words);
        assert_eq!(refused(db.store.recorded(&of("a"), id, node).await), words);
    }
    assert_eq!(refused(db.store.node(&of("a"), "absent", "first").await), "NotFound: Run absent not found");
    assert_eq!(refused(db.store.recorded(&of("a"), "absent", "first").await), "NotFound: Run absent not found");
}

pub(crate) async fn are_settled_with_the_task_or_the_run(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "run").await;
    for (at, (task, of_run, settled)) in [
        (RuntimeState::Pending, RuntimeState::Running, false),
        (RuntimeState::Running, RuntimeState::Running, false),
        (RuntimeState::Succeeded, RuntimeState::Running, true),
        (RuntimeState::Failed, RuntimeState::Running, true),
        (RuntimeState::Skipped, RuntimeState::Running, true),
        (RuntimeState::Pending, RuntimeState::Failed, true),
    ]
    .into_iter()
    .enumerate()
    {
        let tasks = vec![Task { state: task, ..new_task(&run, &format!("task {at}")) }];
        let id = tasks[0].id.clone();
        db.store.save_progress(&of("a"), Progress { tasks, ..step(&run, of_run) }).await.unwrap();
        let node = db.store.node(&of("a"), run.id.as_str(), id.as_str()).await.unwrap();
        assert_eq!(node.settled, settled, "{task} in a run that is {of_run}");
    }
}
