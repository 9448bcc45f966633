//! Definitions: each text is kept once in a namespace, as long as something refers to it.
use crate::{
    backend::{Db, new_pipeline, new_recurring_run, new_run, new_version, of, step},
    raw::{execute, number},
};
use domain::{Executes, NewRun, NewVersion, PipelineId, PipelineVersionId, RuntimeState, Source, list::Query};
use futures::future::join_all;
use store::{Cascade, ListScope};

const TEXT: &str = "spec: shared\n";

/// How many texts a namespace keeps.
async fn kept(db: &Db, home: &str) -> i64 {
    number(&db.url, &format!("SELECT COUNT(*) AS number FROM specs WHERE namespace = '{home}'")).await
}

pub(crate) async fn go_with_the_last_that_refers_to_them(db: Db) {
    let store = &db.store;
    let experiment = db.experiment("a", "train").await;
    let run = || NewRun { spec: TEXT.into(), ..new_run(&experiment.id, "run") };
    let version = |name: &str| NewVersion { spec: TEXT.into(), ..new_version(name) };
    let mut recurring = new_recurring_run(&experiment.id, "hourly");
    recurring.executes = Executes::Pinned { source: Source::Inline, spec: TEXT.into() };

    let one = store.create_run(&of("a"), run()).await.unwrap();
    let two = store.create_run(&of("a"), run()).await.unwrap();
    let recurring = store.create_recurring_run(&of("a"), recurring).await.unwrap();
    let made = store.create_pipeline(&of("a"), new_pipeline("churn"), Some(version("one"))).await.unwrap();
    let pipeline = made.0.id;
    let second = store.create_version(&of("a"), pipeline.as_str(), version("two")).await.unwrap();
    assert_eq!(kept(&db, "a").await, 1);

    // Another namespace has its own, which what happens here does not touch.
    let theirs = db.experiment("b", "train").await;
    let new = NewRun { spec: TEXT.into(), ..new_run(&theirs.id, "run") };
    let theirs = store.create_run(&of("b"), new).await.unwrap();
    assert_eq!(kept(&db, "b").await, 1);

    store.delete_run(&of("a"), one.id.as_str()).await.unwrap();
    store.delete_recurring_run(&of("a"), recurring.id.as_str()).await.unwrap();
    store.delete_version(&of("a"), pipeline.as_str(), second.id.as_str()).await.unwrap();
    assert_eq!(kept(&db, "a").await, 1);
    store.delete_run(&of("a"), two.id.as_str()).await.unwrap();
    assert_eq!(&*store.latest_version(&of("a"), pipeline.as_str()).await.unwrap().spec, TEXT);
    store.delete_pipeline(&of("a"), pipeline.as_str(), Cascade::Versions).await.unwrap();
    assert_eq!((kept(&db, "a").await, kept(&db, "b").await), (0, 1));
    assert_eq!(&*db.again().await.run(&of("b"), theirs.id.as_str()).await.unwrap().spec, TEXT);
}

pub(crate) async fn come_with_short_lists_if_nothing_else_has_them(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let source = Source::Version {
        pipeline_id: PipelineId::from_text("p"),
        version_id: PipelineVersionId::from_text("v"),
        version_name: "one".into(),
    };
    for source in [Source::Inline, source] {
        db.clock.advance(1);
        let new = NewRun { source: source.clone(), ..new_run(&experiment.id, "run") };
        db.store.create_run(&of("a"), new).await.unwrap();
        let mut new = new_recurring_run(&experiment.id, "hourly");
        new.executes = Executes::Pinned { source, spec: TEXT.into() };
        db.store.create_recurring_run(&of("a"), new).await.unwrap();
    }
    let all = || (ListScope::Everything, Query::default());
    let whole = db.store.runs(&of("a"), all().0, all().1).await.unwrap();
    let short = db.store.runs_in_short(&of("a"), all().0, all().1).await.unwrap();
    let specs = |runs: &[domain::Run]| runs.iter().map(|run| run.spec.to_string()).collect::<Vec<_>>();
    assert_eq!(specs(&whole.items), ["spec: text", "spec: text"]);
    assert_eq!(specs(&short.items), ["spec: text", ""]);
    let whole = db.store.recurring_runs(&of("a"), all().0, all().1).await.unwrap();
    let short = db.store.recurring_runs_in_short(&of("a"), all().0, all().1).await.unwrap();
    let specs = |all: &[domain::RecurringRun]| {
        let spec = |it: &domain::RecurringRun| match &it.executes {
            Executes::Pinned { spec, .. } => spec.clone(),
            Executes::Latest(_) => "latest".into(),
        };
        all.iter().map(spec).collect::<Vec<_>>()
    };
    assert_eq!(specs(&whole.items), [TEXT, TEXT]);
    assert_eq!(specs(&short.items), [TEXT, ""]);
}

/// Who lets go of a text and who begins to refer to it do not miss each other.
pub(crate) async fn are_there_whoever_else_lets_go_of_them(db: Db) {
    let other = db.again().await;
    let experiment = db.experiment("a", "train").await;
    for round in 0..8 {
        let run = || NewRun { spec: TEXT.into(), ..new_run(&experiment.id, &format!("round {round}")) };
        let old = db.store.create_run(&of("a"), run()).await.unwrap();
        let make = async |number: usize| {
            let store = if number.is_multiple_of(2) { &db.store } else { &other };
            store.create_run(&of("a"), run()).await.unwrap()
        };
        let grant = of("a");
        let (gone, made) = tokio::join!(other.delete_run(&grant, old.id.as_str()), join_all((0..3).map(make)));
        gone.unwrap();
        // A server that has nothing in memory finds it.
        let fresh = db.again().await;
        for run in &made {
            assert_eq!(&*fresh.run(&of("a"), run.id.as_str()).await.unwrap().spec, TEXT);
        }
        join_all(made.iter().map(|run| async { db.store.delete_run(&of("a"), run.id.as_str()).await.unwrap() })).await;
        assert_eq!(kept(&db, "a").await, 0, "round {round}");
    }
}

/// What is in memory is of one namespace: the same text of another is read from there, or is not there.
pub(crate) async fn in_memory_are_of_one_namespace(db: Db) {
    let run = async |home: &str| {
        let experiment = db.experiment(home, "train").await;
        let new = NewRun { spec: TEXT.into(), ..new_run(&experiment.id, "run") };
        let run = db.store.create_run(&of(home), new).await.unwrap();
        db.store.save_progress(&of(home), step(&run, RuntimeState::Running)).await.unwrap();
        run
    };
    let (ours, theirs) = (run("a").await, run("b").await);
    for _ in ["from the database", "from memory"] {
        assert_eq!(&*db.read("a", ours.id.as_str()).await.spec, TEXT);
    }
    execute(&db.url, "DELETE FROM specs WHERE namespace = 'b'").await;
    assert_eq!(&*db.read("a", ours.id.as_str()).await.spec, TEXT);
    db.store.run(&of("b"), theirs.id.as_str()).await.unwrap_err();
}
