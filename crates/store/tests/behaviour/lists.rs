//! What lists hold, and in which order.
use crate::backend::{Db, new_task, of, refused, step};
use domain::{
    Experiment, Pipeline, PipelineVersion, RecurringRun, Result, Run, RuntimeState, Timestamp,
    list::{Page, Query},
};
use std::fmt::Debug;
use store::{ListScope, Progress};

/// The keys of one column with its value in a row, so written that text sorts as the column does.
type Column<T> = (&'static [&'static str], fn(&T) -> String);

fn moment(time: Timestamp) -> String {
    format!("{:020}", time.0)
}

/// All rows, in pages of two.
async fn walk<T>(sort_by: &str, list: &impl AsyncFn(Query) -> Result<Page<T>>) -> Vec<T> {
    let (mut rows, mut token) = (Vec::new(), String::new());
    loop {
        let query = Query { size: 2, token, sort_by: sort_by.into(), ..Default::default() };
        let page = list(query).await.unwrap_or_else(|error| panic!("sort by {sort_by}: {error}"));
        rows.extend(page.items);
        token = page.next;
        if token.is_empty() {
            return rows;
        }
    }
}

/// Every key sorts both ways, with the id to break ties, and pages lose and repeat nothing.
async fn sorts<T: Debug>(id: fn(&T) -> String, columns: &[Column<T>], list: impl AsyncFn(Query) -> Result<Page<T>>) {
    for (keys, value) in columns {
        for key in *keys {
            for (direction, descending) in [("", false), (" asc", false), (" desc", true)] {
                let rows = walk(&format!("{key}{direction}"), &list).await;
                let walked: Vec<_> = rows.iter().map(|row| (value(row), id(row))).collect();
                let mut expect = walked.clone();
                expect.sort();
                if descending {
                    expect.reverse();
                }
                assert_eq!(walked, expect, "{key}{direction}");
                expect.dedup();
                assert_eq!((walked.len(), expect.len()), (5, 5), "{key}{direction}");
            }
        }
    }
}

pub(crate) async fn sort_both_ways_by_every_key(db: Db) {
    let names = ["b", "a", "c", "Ä", "B"];
    // Two of each in one moment.
    let tick = |index: usize| db.clock.advance(if index.is_multiple_of(2) { 700_000 } else { 0 });
    let mut experiments = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        tick(index);
        experiments.push(db.experiment("a", name).await);
    }
    let states = [RuntimeState::Failed, RuntimeState::Running, RuntimeState::Failed, RuntimeState::Pending];
    for (index, experiment) in [0, 0, 1, 2, 1].into_iter().enumerate() {
        tick(index);
        let run = db.run("a", &experiments[experiment], names[index % 3]).await;
        db.reach(&run, states[index % states.len()]).await;
    }
    for (index, experiment) in [0, 0, 1, 2, 1].into_iter().enumerate() {
        tick(index);
        let made = db.recurring_run("a", &experiments[experiment], names[index % 3]).await;
        if index == 1 {
            db.clock.advance(10_000_000);
            db.store.disable_recurring_run(&of("a"), made.id.as_str()).await.unwrap();
        }
    }
    db.store.archive_experiment(&of("a"), experiments[1].id.as_str()).await.unwrap();
    let mut pipelines = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        tick(index);
        pipelines.push(db.pipeline("a", name).await);
    }
    for (index, name) in names.into_iter().enumerate() {
        tick(index);
        db.version("a", &pipelines[0], name).await;
    }

    let columns: &[Column<Experiment>] = &[
        (&["id", "experiment_id"], |row| row.id.to_string()),
        (&["name", "display_name"], |row| row.name.clone()),
        (&["description"], |row| row.description.clone()),
        (&["namespace"], |row| row.home.as_column().to_owned()),
        (&["created_at"], |row| moment(row.created_at)),
        (&["last_run_created_at"], |row| moment(row.last_run_at)),
        (&["storage_state"], |row| row.storage_state.as_str().to_owned()),
    ];
    sorts(|row| row.id.to_string(), columns, async |query| db.store.experiments(&of("a"), query).await).await;
    let columns: &[Column<Pipeline>] = &[
        (&["id", "pipeline_id"], |row| row.id.to_string()),
        (&["name"], |row| row.name.clone()),
        (&["display_name"], |row| row.display_name.clone()),
        (&["description"], |row| row.description.clone()),
        (&["namespace"], |row| row.home.as_column().to_owned()),
        (&["created_at"], |row| moment(row.created_at)),
    ];
    sorts(|row| row.id.to_string(), columns, async |query| db.store.pipelines(&of("a"), query).await).await;
    let columns: &[Column<PipelineVersion>] = &[
        (&["id", "pipeline_version_id"], |row| row.id.to_string()),
        (&["name"], |row| row.name.clone()),
        (&["display_name"], |row| row.display_name.clone()),
        (&["description"], |row| row.description.clone()),
        (&["created_at"], |row| moment(row.created_at)),
    ];
    let versions = async |query| db.store.versions(&of("a"), pipelines[0].id.as_str(), query).await;
    sorts(|row| row.id.to_string(), columns, versions).await;
    let columns: &[Column<Run>] = &[
        (&["id", "run_id"], |row| row.id.to_string()),
        (&["name", "display_name"], |row| row.name.clone()),
        (&["description"], |row| row.description.clone()),
        (&["namespace"], |row| row.namespace.to_string()),
        (&["experiment_id"], |row| row.experiment_id.to_string()),
        (&["recurring_run_id"], |row| row.recurring_run_id.clone()),
        (&["created_at"], |row| moment(row.created_at)),
        (&["scheduled_at"], |row| moment(row.scheduled_at)),
        (&["finished_at"], |row| moment(row.finished_at.unwrap_or_default())),
        (&["storage_state"], |row| row.storage_state.as_str().to_owned()),
        (&["state", "status"], |row| row.state.as_str().to_owned()),
    ];
    let runs = async |query| db.store.runs(&of("a"), ListScope::Everything, query).await;
    sorts(|row| row.id.to_string(), columns, runs).await;
    let columns: &[Column<RecurringRun>] = &[
        (&["id", "recurring_run_id"], |row| row.id.to_string()),
        (&["name", "display_name"], |row| row.name.clone()),
        (&["description"], |row| row.description.clone()),
        (&["namespace"], |row| row.namespace.to_string()),
        (&["experiment_id"], |row| row.experiment_id.to_string()),
        (&["created_at"], |row| moment(row.created_at)),
        (&["updated_at"], |row| moment(row.updated_at)),
        (&["created_by"], |row| row.created_by.clone()),
    ];
    let recurring_runs = async |query| db.store.recurring_runs(&of("a"), ListScope::Everything, query).await;
    sorts(|row| row.id.to_string(), columns, recurring_runs).await;
}

pub(crate) async fn default_to_the_oldest_first(db: Db) {
    for name in ["b", "a", "c"] {
        db.experiment("a", name).await;
        db.clock.advance(1);
    }
    let names = async |sort_by: &str| {
        let query = Query { sort_by: sort_by.into(), ..Default::default() };
        let page = db.store.experiments(&of("a"), query).await.unwrap();
        page.items.into_iter().map(|row| row.name).collect::<Vec<_>>().join("")
    };
    for (sort_by, expect) in
        [("", "bac"), ("  ", "bac"), ("NAME", "abc"), (" name\tDESC ", "cba"), ("created_at desc", "cab")]
    {
        assert_eq!(names(sort_by).await, expect, "{sort_by:?}");
    }
}

pub(crate) async fn refuse_unknown_orders(db: Db) {
    let list = async |sort_by: &str| {
        let query = Query { sort_by: sort_by.into(), ..Default::default() };
        refused(db.store.runs(&of("a"), ListScope::Everything, query).await)
    };
    for field in ["nope", "engine", "spec", "name,", "created_at;--"] {
        let expect = format!("InvalidArgument: sort_by: there is no field {field:?}; there are id, run_id, name, ");
        let refusal = list(field).await;
        assert!(refusal.starts_with(&expect), "{refusal}");
    }
    for order in ["name up", "name asc desc", "name desc, id"] {
        let expect =
            format!("InvalidArgument: sort_by {order:?} is not understood: write `FIELD`, `FIELD asc` or `FIELD desc`");
        assert_eq!(list(order).await, expect);
    }
}

pub(crate) async fn are_of_an_experiment_or_of_everything(db: Db) {
    let (one, two) = (db.experiment("a", "one").await, db.experiment("a", "two").await);
    let run = db.run("a", &one, "first").await;
    db.run("a", &two, "second").await;
    let found = async |scope: ListScope| db.store.runs(&of("a"), scope, Query::default()).await.unwrap();
    assert_eq!(found(ListScope::Everything).await.total, 2);
    let of_one = found(ListScope::Experiment(one.id.to_string())).await;
    assert_eq!((of_one.total, of_one.items), (1, vec![run]));
    for id in ["", "x", "%"] {
        let none = found(ListScope::Experiment(id.to_owned())).await;
        assert_eq!((none.total, none.items.len(), none.next.as_str()), (0, 0, ""));
    }
}

pub(crate) async fn bring_tasks(db: Db) {
    let experiment = db.experiment("a", "train").await;
    for name in ["one", "two", "three"] {
        let run = db.run("a", &experiment, name).await;
        let mut tasks = vec![new_task(&run, "load"), new_task(&run, "train")];
        tasks.sort_by(|x, y| x.id.cmp(&y.id));
        let progress = Progress { tasks, ..step(&run, RuntimeState::Running) };
        db.store.save_progress(&of("a"), progress).await.unwrap();
    }
    let rows = walk("created_at", &async |query| db.store.runs(&of("a"), ListScope::Everything, query).await).await;
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert_eq!(row.tasks.len(), 2);
        assert_eq!(row, db.read("a", row.id.as_str()).await, "a list shows what a read shows");
    }
}
