//! Each migration is taken back by its `down.sql`, with rows in the tables, and can be made again.
use crate::{
    backend::{Db, new_task, of, step},
    opening::shape,
    raw::execute,
    upgrading::{migrations, name},
};
use domain::{RuntimeState, list::Query};
use std::fs;
use store::{Progress, Store};

/// A row or more in every table that can have some.
async fn fill(db: &Db) {
    let experiment = db.experiment("a", "first").await;
    let pipeline = db.pipeline("a", "words").await;
    db.version("a", &pipeline, "v1").await;
    db.recurring_run("a", &experiment, "nightly").await;
    let run = db.run("a", &experiment, "run").await;
    let mut inner = new_task(&run, "inner");
    inner.path = "outer/inner".into();
    let tasks = vec![new_task(&run, "outer"), inner];
    let progress = Progress { tasks, ..step(&run, RuntimeState::Running) };
    db.store.save_progress(&of("a"), progress).await.unwrap();
}

pub(crate) async fn goes_back_to_nothing(mut db: Db) {
    fill(&db).await;
    let (all, nothing) = (shape(&db.url).await, (vec![], vec![]));
    let folders = migrations(&db.url);
    for folder in folders.iter().rev() {
        execute(&db.url, &fs::read_to_string(folder.join("down.sql")).unwrap()).await;
    }
    assert_eq!(shape(&db.url).await, nothing);

    // Back from each of them is where the one before has led.
    let mut shapes = vec![nothing];
    for folder in &folders {
        execute(&db.url, &fs::read_to_string(folder.join("up.sql")).unwrap()).await;
        shapes.push(shape(&db.url).await);
    }
    assert_eq!(shapes.pop().unwrap(), all);
    for folder in folders.iter().rev() {
        execute(&db.url, &fs::read_to_string(folder.join("down.sql")).unwrap()).await;
        assert_eq!(Some(shape(&db.url).await), shapes.pop(), "{}", name(folder).0);
    }

    execute(&db.url, "DELETE FROM __diesel_schema_migrations").await;
    // Not `again`: where there can be only one server, that one has its tables already.
    db.store = Store::open_with(&db.url, db.clock.clone()).await.unwrap();
    assert_eq!(shape(&db.url).await, all);
    fill(&db).await;
    let listed = db.store.experiments(&of("a"), Query::default()).await.unwrap();
    assert_eq!((listed.total, listed.items[0].name.as_str()), (1, "first"));
}
