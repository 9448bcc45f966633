//! Experiments.
use crate::backend::{Db, START, of, refused};
use api::access::{
    resource::{Jobs, Runs},
    verb::Create,
};
use domain::{Home, Namespace, NewExperiment, StorageState, Timestamp, list::Query};
use futures::future::join_all;
use std::collections::HashSet;
use store::ListScope;

pub(crate) async fn are_read_back(db: Db) {
    let made = db.experiment("a", "train").await;
    assert_eq!(made.home, Home::Namespace(Namespace::parse("a").unwrap()));
    assert_eq!((made.name.as_str(), made.description.as_str()), ("train", "about train"));
    assert_eq!((made.created_at, made.last_run_at), (START, Timestamp(0)));
    assert_eq!((made.storage_state, made.created_by.as_str()), (StorageState::Available, "jane"));
    assert_eq!(db.store.experiment(&of("a"), made.id.as_str()).await.unwrap(), made);
    assert_eq!(db.store.experiments(&of("a"), Query::default()).await.unwrap().items, [made]);
    assert_eq!(refused(db.store.experiment(&of("a"), "x").await), "NotFound: Experiment x not found");
    // Any text is an id that may not exist.
    for id in ["", "' OR 1=1 --", "\0", "ä", "%"] {
        assert_eq!(refused(db.store.experiment(&of("a"), id).await), format!("NotFound: Experiment {id} not found"));
    }
}

pub(crate) async fn names_are_unique_in_a_home(db: Db) {
    let new = |name: &str| NewExperiment { name: name.into(), description: String::new() };
    let made = db.experiment("a", "train").await;
    let taken = "AlreadyExists: an experiment named \"train\" exists already in this namespace";
    assert_eq!(refused(db.store.create_experiment(&of("a"), new("train")).await), taken);
    db.store.archive_experiment(&of("a"), made.id.as_str()).await.unwrap();
    assert_eq!(refused(db.store.create_experiment(&of("a"), new("train")).await), taken, "archived ones count");
    db.experiment("b", "train").await;
    db.store.create_experiment(&of("a"), new("Train")).await.expect("case counts");
    db.store.delete_experiment(&of("a"), made.id.as_str()).await.unwrap();
    db.experiment("a", "train").await;
}

pub(crate) async fn archiving_takes_the_runs_along(db: Db) {
    let (one, two) = (db.experiment("a", "one").await, db.experiment("a", "two").await);
    let (inside, outside) = (db.run("a", &one, "inside").await, db.run("a", &two, "outside").await);
    let states = async || {
        let run = async |id: &str| db.read("a", id).await.storage_state;
        let experiment = db.store.experiment(&of("a"), one.id.as_str()).await.unwrap().storage_state;
        (experiment, run(inside.id.as_str()).await, run(outside.id.as_str()).await)
    };
    use StorageState::{Archived, Available};
    for _ in ["once", "again"] {
        db.store.archive_experiment(&of("a"), one.id.as_str()).await.unwrap();
        assert_eq!(states().await, (Archived, Archived, Available));
    }
    for _ in ["once", "again"] {
        db.store.unarchive_experiment(&of("a"), one.id.as_str()).await.unwrap();
        assert_eq!(states().await, (Available, Archived, Available), "its runs stay archived");
    }
    assert_eq!(refused(db.store.archive_experiment(&of("a"), "x").await), "NotFound: Experiment x not found");
    assert_eq!(refused(db.store.unarchive_experiment(&of("a"), "x").await), "NotFound: Experiment x not found");
}

pub(crate) async fn deleting_leaves_the_runs(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "first").await;
    let id = experiment.id.as_str();
    db.store.delete_experiment(&of("a"), id).await.unwrap();
    let gone = format!("NotFound: Experiment {id} not found");
    assert_eq!(refused(db.store.experiment(&of("a"), id).await), gone);
    assert_eq!(refused(db.store.delete_experiment(&of("a"), id).await), gone);
    let scope = ListScope::Experiment(id.to_owned());
    assert_eq!(db.store.runs(&of("a"), scope, Query::default()).await.unwrap().items[0].id, run.id);
    // Nothing is left that could keep it archived.
    db.store.archive_run(&of("a"), run.id.as_str()).await.unwrap();
    db.store.unarchive_run(&of("a"), run.id.as_str()).await.unwrap();
}

pub(crate) async fn remember_their_last_run(db: Db) {
    let (one, two) = (db.experiment("a", "one").await, db.experiment("a", "two").await);
    let later = db.clock.advance(5_000_000);
    db.run("a", &one, "first").await;
    assert_eq!(db.store.experiment(&of("a"), one.id.as_str()).await.unwrap().last_run_at, later);
    assert_eq!(db.store.experiment(&of("a"), two.id.as_str()).await.unwrap().last_run_at, Timestamp(0));
}

pub(crate) async fn default_is_made_once(db: Db) {
    let grant = of::<Create, Runs>("a");
    let (first, second) = tokio::join!(db.store.default_experiment(&grant), db.store.default_experiment(&grant));
    let id = first.unwrap();
    assert_eq!(second.unwrap(), id);
    assert_eq!(db.store.experiment(&of("a"), id.as_str()).await.unwrap().name, "Default");
    assert_ne!(db.store.default_experiment(&of::<Create, Runs>("b")).await.unwrap(), id, "each namespace has its own");
    let jobs = of::<Create, Jobs>("a");
    assert_eq!(db.store.default_experiment(&jobs).await.unwrap(), id, "recurring runs have the same one");
    for number in 0..20 {
        let grant = of::<Create, Runs>(&format!("at-once-{number}"));
        let at_once = join_all((0..8).map(|_| db.store.default_experiment(&grant))).await;
        let ids: HashSet<_> = at_once.into_iter().map(Result::unwrap).collect();
        assert_eq!(ids.len(), 1);
    }
    // One that a user made under the name serves as well.
    let theirs = db.experiment("c", "Default").await;
    assert_eq!(db.store.default_experiment(&of::<Create, Runs>("c")).await.unwrap(), theirs.id);
}
