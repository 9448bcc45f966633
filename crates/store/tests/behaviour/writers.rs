//! Many writers at once, and clients that leave in the middle.
use crate::backend::{Db, new_run, of, refused, step};
use domain::{Code, NewExperiment, RuntimeState, list::Query};
use futures::future::join_all;
use store::{ListScope, NewToken};

/// Writes that each of two servers does at the same time.
const EACH: usize = 25;

pub(crate) async fn two_servers_share_a_database(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let other = db.again().await;
    let write = async |store: &store::Store, number: usize| {
        let new = new_run(&experiment.id, &format!("run {number}"));
        let run = store.create_run(&of("a"), new).await.unwrap();
        // What one wrote the other reads at once.
        for reader in [&db.store, &other] {
            assert_eq!(*reader.run(&of("a"), run.id.as_str()).await.unwrap(), run);
        }
    };
    let all = (0..2 * EACH).map(|number| write(if number.is_multiple_of(2) { &db.store } else { &other }, number));
    join_all(all).await;
    for store in [&db.store, &other] {
        let total = store.runs(&of("a"), ListScope::Everything, Query::default()).await.unwrap().total;
        assert_eq!(total, 2 * EACH as i64);
    }
}

pub(crate) async fn a_client_that_leaves_breaks_nothing(db: Db) {
    let experiment = db.experiment("a", "train").await;
    for patience in 0..40 {
        let grant = of("a");
        let mut left = Box::pin(db.store.create_run(&grant, new_run(&experiment.id, "left")));
        for _ in 0..patience {
            if futures::poll!(left.as_mut()).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(left);
        db.run("a", &experiment, "stayed").await;
    }
    let found = db.store.runs(&of("a"), ListScope::Everything, Query::default()).await.unwrap();
    assert!((40..=80).contains(&found.total), "{}", found.total);
}

pub(crate) async fn conflicts_have_one_winner(db: Db) {
    let other = db.again().await;
    let create = async |store: &store::Store| {
        let new = NewExperiment { name: "train".into(), description: String::new() };
        store.create_experiment(&of("a"), new).await
    };
    let all = (0..EACH).map(|number| create(if number.is_multiple_of(2) { &db.store } else { &other }));
    let (made, lost): (Vec<_>, Vec<_>) = join_all(all).await.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for answer in lost {
        let text = "AlreadyExists: an experiment named \"train\" exists already in this namespace";
        assert_eq!(refused(answer), text);
    }
}

/// Each reads how many steps there are and writes one more: none may be lost.
pub(crate) async fn steps_at_once_are_all_counted(db: Db) {
    let other = db.again().await;
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "busy").await;
    let grant = of("a");
    let (before, _) = db.store.revision(&of("a"), run.id.as_str()).await.unwrap();
    let save = |number: usize| {
        let store = if number.is_multiple_of(2) { &db.store } else { &other };
        store.save_progress(&grant, step(&run, RuntimeState::Running))
    };
    let mut steps: Vec<u64> = join_all((0..EACH).map(save)).await.into_iter().map(Result::unwrap).collect();
    steps.sort_unstable();
    let all = before + 1..=before + EACH as u64;
    assert_eq!(steps, all.collect::<Vec<_>>());
}

/// Each counts what there is before it adds to it: together they do not go beyond what is allowed.
pub(crate) async fn a_limit_holds_at_once(db: Db) {
    let other = db.again().await;
    let new = || NewToken { user: "jane".into(), ..NewToken::default() };
    for _ in 0..95 {
        db.store.create_token(new()).await.unwrap();
    }
    let create = |number: usize| if number.is_multiple_of(2) { &db.store } else { &other }.create_token(new());
    let made = join_all((0..EACH).map(create)).await.into_iter().filter(Result::is_ok).count();
    assert_eq!((made, db.store.tokens().await.unwrap().len()), (5, 100));
}

/// What was acknowledged is there, however often the connections break.
pub(crate) async fn survive_lost_connections(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let mut acknowledged = Vec::new();
    for _ in 0..5 {
        let write = |number: usize| {
            let new = new_run(&experiment.id, &format!("run {number}"));
            async { db.store.create_run(&of("a"), new).await }
        };
        let (done, ()) = tokio::join!(join_all((0..EACH).map(write)), db.break_connections());
        for answer in done {
            match answer {
                Ok(run) => acknowledged.push(run),
                Err(error) => assert_eq!(error.code(), Code::Unavailable, "{error:?}"),
            }
        }
    }
    // Most go through: only where the end of one was not heard of, nobody knows.
    assert!(acknowledged.len() > 2 * EACH, "{}", acknowledged.len());
    for run in acknowledged {
        assert_eq!(db.read("a", run.id.as_str()).await, run);
    }
}
