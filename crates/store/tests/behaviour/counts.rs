//! Numbers of rows, which are kept and not counted.
use crate::{
    backend::{Db, new_run, new_version, of, step},
    random_lists::{draw, random},
};
use domain::{
    ExperimentId, RuntimeState, Timestamp,
    list::{Operation, Predicate, Query, Value},
};
use futures::future::join_all;
use proptest::prelude::*;
use store::{Cascade, ListScope, Store, Usage};

/// Random changes, and after how many of them the numbers are looked at.
const CHANGES: usize = 400;
const LOOK: usize = 40;

fn stored(operation: Operation, state: &str) -> Predicate {
    Predicate { key: "storage_state".into(), operation, value: Value::Text(state.into()) }
}

/// The two are the same list, but the number of the second is counted: no filter on a time is known in advance.
fn twice(predicates: Vec<Predicate>) -> [Query; 2] {
    let always = Predicate {
        key: "created_at".into(),
        operation: Operation::GreaterThanEquals,
        value: Value::Time(Timestamp(0)),
    };
    let counted = predicates.iter().cloned().chain([always]).collect();
    [predicates, counted].map(|predicates| Query { size: 1, predicates, ..Query::default() })
}

/// Every number that is kept is what counting gives. Experiments and pipelines may be gone.
async fn look(store: &Store, home: &str, experiments: &[ExperimentId], pipelines: &[String]) {
    let mut scopes = vec![ListScope::Everything];
    scopes.extend(experiments.iter().map(|id| ListScope::Experiment(id.to_string())));
    let filters = [
        vec![],
        vec![stored(Operation::Equals, "AVAILABLE")],
        vec![stored(Operation::NotEquals, "ARCHIVED")],
        vec![stored(Operation::Equals, "STORAGESTATE_ARCHIVED")],
    ];
    for filter in &filters {
        for scope in &scopes {
            let [kept, counted] = twice(filter.clone());
            let kept = store.runs(&of(home), scope.clone(), kept).await.unwrap().total;
            let counted = store.runs(&of(home), scope.clone(), counted).await.unwrap().total;
            assert_eq!(kept, counted, "runs of {scope:?} in {home}");
        }
        let [kept, counted] = twice(filter.clone());
        let kept = store.experiments(&of(home), kept).await.unwrap().total;
        assert_eq!(kept, store.experiments(&of(home), counted).await.unwrap().total, "experiments in {home}");
    }
    for scope in &scopes {
        let [kept, counted] = twice(vec![]);
        let kept = store.recurring_runs(&of(home), scope.clone(), kept).await.unwrap().total;
        let counted = store.recurring_runs(&of(home), scope.clone(), counted).await.unwrap().total;
        assert_eq!(kept, counted, "recurring runs of {scope:?} in {home}");
    }
    let [kept, counted] = twice(vec![]);
    let kept = store.pipelines(&of(home), kept).await.unwrap().total;
    assert_eq!(kept, store.pipelines(&of(home), counted).await.unwrap().total, "pipelines in {home}");
    for pipeline in pipelines {
        let [kept, counted] = twice(vec![]);
        let kept = store.versions(&of(home), pipeline, kept).await.unwrap().total;
        let counted = store.versions(&of(home), pipeline, counted).await.unwrap().total;
        assert_eq!(kept, counted, "versions of {pipeline} in {home}");
    }
}

pub(crate) async fn equal_what_is_counted(db: Db) {
    let mut runner = random();
    for home in ["a", "b"] {
        let (mut experiments, mut runs, mut schedules) = (Vec::new(), Vec::new(), Vec::new());
        let (mut pipelines, mut versions) = (Vec::new(), Vec::new());
        let (mut experiment_ids, mut pipeline_ids) = (Vec::new(), Vec::new());
        for number in 0..CHANGES {
            db.clock.advance(1);
            let (change, at) = (draw(&mut runner, &(0..20)), draw(&mut runner, &any::<prop::sample::Index>()));
            let name = format!("number {number}");
            match change {
                0 => {
                    experiments.push(db.experiment(home, &name).await);
                    experiment_ids.extend(experiments.last().map(|made| made.id.clone()));
                }
                1 => {
                    pipelines.push(db.pipeline(home, &name).await);
                    pipeline_ids.extend(pipelines.last().map(|made| made.id.to_string()));
                }
                2..=6 if !experiments.is_empty() => {
                    let experiment = &experiments[at.index(experiments.len())];
                    runs.push(db.run(home, experiment, &name).await);
                }
                7 if !experiments.is_empty() => {
                    let experiment = &experiments[at.index(experiments.len())];
                    schedules.push(db.recurring_run(home, experiment, &name).await);
                }
                8 if !schedules.is_empty() => {
                    let gone = schedules.swap_remove(at.index(schedules.len()));
                    db.store.delete_recurring_run(&of(home), gone.id.as_str()).await.unwrap();
                }
                9 | 10 if !pipelines.is_empty() => {
                    let pipeline = &pipelines[at.index(pipelines.len())];
                    versions.push(db.version(home, pipeline, &name).await);
                }
                11 if !versions.is_empty() => {
                    let gone = versions.swap_remove(at.index(versions.len()));
                    db.store.delete_version(&of(home), "", gone.id.as_str()).await.unwrap();
                }
                12 if pipelines.len() > 3 => {
                    let gone = pipelines.swap_remove(at.index(pipelines.len()));
                    versions.retain(|version| version.pipeline_id != gone.id);
                    db.store.delete_pipeline(&of(home), gone.id.as_str(), Cascade::Versions).await.unwrap();
                }
                13 if !runs.is_empty() => {
                    let gone = runs.swap_remove(at.index(runs.len()));
                    db.store.delete_run(&of(home), gone.id.as_str()).await.unwrap();
                }
                14 | 15 if !runs.is_empty() => {
                    let run = runs[at.index(runs.len())].id.as_str();
                    db.store.archive_run(&of(home), run).await.unwrap();
                }
                16 if !runs.is_empty() => {
                    // It is refused while the experiment is archived.
                    let _ = db.store.unarchive_run(&of(home), runs[at.index(runs.len())].id.as_str()).await;
                }
                17 if !experiments.is_empty() => {
                    let id = experiments[at.index(experiments.len())].id.as_str();
                    db.store.archive_experiment(&of(home), id).await.unwrap();
                }
                18 if !experiments.is_empty() => {
                    let id = experiments[at.index(experiments.len())].id.as_str();
                    db.store.unarchive_experiment(&of(home), id).await.unwrap();
                }
                19 if experiments.len() > 3 => {
                    let gone = experiments.swap_remove(at.index(experiments.len()));
                    db.store.delete_experiment(&of(home), gone.id.as_str()).await.unwrap();
                }
                _ => {}
            }
            if number % LOOK == 0 {
                look(&db.store, home, &experiment_ids, &pipeline_ids).await;
            }
        }
        look(&db.store, home, &experiment_ids, &pipeline_ids).await;
        assert!(runs.len() > 30 && versions.len() > 3, "{} runs, {} versions", runs.len(), versions.len());
    }
}

pub(crate) async fn hold_when_many_write(db: Db) {
    let other = db.again().await;
    let experiments = [db.experiment("a", "one").await, db.experiment("a", "two").await];
    let write = async |number: usize| {
        let store = if number.is_multiple_of(2) { &db.store } else { &other };
        let experiment = &experiments[number / 2 % 2];
        let run = store.create_run(&of("a"), new_run(&experiment.id, "run")).await.unwrap();
        match number % 3 {
            0 => store.archive_run(&of("a"), run.id.as_str()).await.unwrap(),
            1 => store.delete_run(&of("a"), run.id.as_str()).await.unwrap(),
            _ => {}
        }
    };
    join_all((0..24).map(write)).await;
    let ids = experiments.map(|experiment| experiment.id);
    look(&db.store, "a", &ids, &[]).await;
    assert_eq!(other.usage(&of("a")).await.unwrap().stored_runs, 16);
}

pub(crate) async fn say_what_a_namespace_uses(db: Db) {
    assert_eq!(db.store.usage(&of("a")).await.unwrap(), Usage::default());
    let experiment = db.experiment("a", "train").await;
    let foreign = db.experiment("b", "train").await;
    let runs = [db.run("a", &experiment, "one").await, db.run("a", &experiment, "two").await];
    db.run("b", &foreign, "three").await;
    db.recurring_run("a", &experiment, "hourly").await;
    let pipeline = db.pipeline("a", "churn").await;
    db.store.create_version(&of("a"), pipeline.id.as_str(), new_version("one")).await.unwrap();
    db.pipeline("*", "everybody's").await;
    let mut expect = Usage { active_runs: 2, stored_runs: 2, pipelines: 1, recurring_runs: 1 };
    assert_eq!(db.store.usage(&of("a")).await.unwrap(), expect);
    db.store.archive_run(&of("a"), runs[0].id.as_str()).await.unwrap();
    assert_eq!(db.store.usage(&of("a")).await.unwrap(), expect, "an archived run goes on");
    for state in RuntimeState::ALL {
        db.store.save_progress(&of("a"), step(&runs[0], state)).await.unwrap();
        expect.active_runs = if state.is_final() { 1 } else { 2 };
        assert_eq!(db.store.usage(&of("a")).await.unwrap(), expect, "{state}");
    }
    db.store.delete_run(&of("a"), runs[1].id.as_str()).await.unwrap();
    expect.stored_runs = 1;
    let active = db.store.usage(&of("a")).await.unwrap().active_runs;
    assert_eq!(db.store.usage(&of("a")).await.unwrap(), Usage { active_runs: active, ..expect });
}
