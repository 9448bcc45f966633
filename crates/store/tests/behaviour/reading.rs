//! What is read of a run is what was written last, however often it is read.
use crate::backend::{Db, new_task, of, refused, step};
use domain::{Metric, MetricFormat, Run, RuntimeState, StorageState};
use futures::future::join_all;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use store::Progress;

pub(crate) async fn shows_every_write_at_once(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let (run, other) = (db.run("a", &experiment, "one").await, db.run("a", &experiment, "two").await);
    let id = run.id.as_str();
    // Twice, so that what was remembered is seen too.
    let read = async || -> Arc<Run> {
        let first = db.store.run(&of("a"), id).await.unwrap();
        let second = db.store.run(&of("a"), id).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(*db.store.run(&of("a"), other.id.as_str()).await.unwrap().name, *"two");
        second
    };
    assert_eq!(*read().await, run);
    for home in ["b", "*"] {
        assert_eq!(refused(db.store.run(&of(home), id).await), format!("NotFound: Run {id} not found"));
    }

    let task = new_task(&run, "train");
    let progress = Progress { tasks: vec![task.clone()], ..step(&run, RuntimeState::Running) };
    db.store.save_progress(&of("a"), progress).await.unwrap();
    let now = read().await;
    assert_eq!((now.state, &now.tasks), (RuntimeState::Running, &vec![task.clone()]));

    let task = domain::Task { state: RuntimeState::Failed, ..task };
    let progress = Progress { tasks: vec![task.clone()], ..step(&run, RuntimeState::Failed) };
    db.store.save_progress(&of("a"), progress).await.unwrap();
    let now = read().await;
    assert_eq!((now.state, now.tasks[0].state), (RuntimeState::Failed, RuntimeState::Failed));

    let metric = Metric { node_id: "n".into(), name: "loss".into(), value: 0.5, format: MetricFormat::Raw };
    db.store.report_metrics(&of("a"), id, vec![metric.clone()]).await.unwrap();
    assert_eq!(read().await.metrics, [metric]);

    db.store.archive_run(&of("a"), id).await.unwrap();
    assert_eq!(read().await.storage_state, StorageState::Archived);
    db.store.unarchive_run(&of("a"), id).await.unwrap();
    assert_eq!(read().await.storage_state, StorageState::Available);
    db.store.archive_experiment(&of("a"), experiment.id.as_str()).await.unwrap();
    assert_eq!(read().await.storage_state, StorageState::Archived);

    db.store.retry_run(&of("a"), id).await.unwrap();
    assert_eq!(read().await.state, RuntimeState::Pending);
    db.store.terminate_run(&of("a"), id).await.unwrap();
    assert_eq!(read().await.state, RuntimeState::Canceling);

    // What was refused has changed nothing.
    db.store.retry_run(&of("a"), id).await.unwrap_err();
    assert_eq!(read().await.state, RuntimeState::Canceling);

    db.store.delete_run(&of("a"), id).await.unwrap();
    assert_eq!(refused(db.store.run(&of("a"), id).await), format!("NotFound: Run {id} not found"));
}

/// Steps of a run while others read it: whoever has seen one does not see an earlier one afterwards, and what was
/// acknowledged is seen.
pub(crate) async fn never_goes_back(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "one").await;
    let (acknowledged, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let write = async {
        for number in 1..=60 {
            let progress =
                Progress { tasks: vec![new_task(&run, &format!("{number:03}"))], ..step(&run, RuntimeState::Running) };
            db.store.save_progress(&of("a"), progress).await.unwrap();
            acknowledged.store(number, Ordering::SeqCst);
        }
        is_over.store(true, Ordering::SeqCst);
    };
    let seen = AtomicUsize::new(0);
    let read = async || {
        while !is_over.load(Ordering::SeqCst) {
            let least = acknowledged.load(Ordering::SeqCst).max(seen.load(Ordering::SeqCst));
            let now = db.store.run(&of("a"), run.id.as_str()).await.unwrap().tasks.len();
            assert!(now >= least, "{now} after {least}");
            seen.fetch_max(now, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(write, join_all((0..4).map(|_| read())));
    assert_eq!(db.store.run(&of("a"), run.id.as_str()).await.unwrap().tasks.len(), 60);
}
