//! What ML metadata has of runs, tasks and artifacts: a number for each, and what its lists are ordered and found by. It
//! is written in the transaction that writes the rows themselves, and goes with them.
mod backlog;
mod content;
mod contexts;
mod events;
mod ids;
mod nodes;
mod types;

use crate::{
    Error,
    connect::Connection,
    schema::{artifacts, metadata_backlog, metadata_nodes, metadata_runs},
    tasks::{BATCH, OfRun},
};
use diesel::{
    dsl::{exists, not},
    prelude::*,
};
use diesel_async::RunQueryDsl;
use domain::{
    Task, TaskKind,
    metadata::{NodeKind, SystemType},
};
use std::collections::{BTreeSet, HashSet};

pub use events::EventsOf;
pub use nodes::{Listing, NodeOrder, Nodes};

/// What a node is here, as its row says it.
const TASK: &str = "TASK";
const ROOT: &str = "ROOT";
const ARTIFACT: &str = "ARTIFACT";
const RUN: &str = "RUN";
const PIPELINE: &str = "PIPELINE";

#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = metadata_nodes, check_for_backend(crate::any::AnyBackend))]
struct Head {
    namespace: String,
    id: i64,
    kind: String,
    source: String,
    object: String,
    run_id: String,
    type_id: i64,
    name: String,
    created_at: i64,
    updated_at: i64,
}

#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = metadata_runs, check_for_backend(crate::any::AnyBackend))]
struct OfOne {
    run_id: String,
    namespace: String,
    context_id: i64,
    pipeline_id: i64,
    next_id: i64,
    end_id: i64,
}

/// Writes what is new of tasks of a run that were just saved, and of their artifacts, and that the others have changed.
pub(crate) async fn record(conn: &mut Connection, run: &OfRun<'_>, tasks: &[Task]) -> Result<(), Error> {
    let ids: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    let used: BTreeSet<&str> = tasks
        .iter()
        .flat_map(|task| task.inputs.artifacts.values().chain(task.outputs.artifacts.values()).flatten())
        .map(|artifact| artifact.id.as_str())
        .collect();
    let used: Vec<&str> = used.into_iter().collect();
    let known = known(conn, run.home, TASK, &ids).await?;
    let mut new: Vec<Head> = Vec::new();
    for task in tasks.iter().filter(|task| !known.contains(task.id.as_str())) {
        let head = Head {
            source: TASK.to_owned(),
            object: task.id.to_string(),
            type_id: type_of(task.kind).id,
            created_at: task.created_at.0,
            ..Head::of(run, NodeKind::Execution)
        };
        new.push(head);
    }
    for batch in used.chunks(BATCH) {
        new.extend(new_artifacts(conn, run, batch).await?);
    }
    add(conn, run, new).await?;
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    touch(conn, run, &known).await
}

/// Writes what is new of artifacts that were just linked with tasks of a run.
pub(crate) async fn record_artifacts(conn: &mut Connection, run: &OfRun<'_>, ids: &[&str]) -> Result<(), Error> {
    let new = new_artifacts(conn, run, ids).await?;
    add(conn, run, new).await?;
    touch_run(conn, run).await
}

/// Says that the run itself has changed.
pub(crate) async fn touch_run(conn: &mut Connection, run: &OfRun<'_>) -> Result<(), Error> {
    touch(conn, run, &[run.run_id]).await
}

/// Removes what there is of a run that is being deleted, whose artifacts are gone as far as nobody else has taken them.
pub(crate) async fn forget(conn: &mut Connection, home: &str, run_id: &str) -> Result<(), Error> {
    let of_it =
        || metadata_nodes::table.filter(metadata_nodes::namespace.eq(home)).filter(metadata_nodes::run_id.eq(run_id));
    diesel::delete(of_it().filter(metadata_nodes::source.ne(ARTIFACT))).execute(conn).await?;
    let there = artifacts::table.filter(artifacts::id.eq(metadata_nodes::object));
    diesel::delete(of_it().filter(not(exists(there)))).execute(conn).await?;
    diesel::delete(metadata_backlog::table.find(run_id)).execute(conn).await?;
    let it = metadata_runs::table.find(run_id).filter(metadata_runs::namespace.eq(home));
    let Some(row) = it.select(OfOne::as_select()).first::<OfOne>(conn).await.optional()? else { return Ok(()) };
    diesel::delete(metadata_runs::table.find(run_id)).execute(conn).await?;
    let others = metadata_runs::table.filter(metadata_runs::namespace.eq(home));
    let others = others.filter(metadata_runs::pipeline_id.eq(row.pipeline_id)).select(metadata_runs::run_id);
    if row.pipeline_id != 0 && others.first::<String>(conn).await.optional()?.is_none() {
        diesel::delete(metadata_nodes::table.find((home, row.pipeline_id))).execute(conn).await?;
    }
    Ok(())
}

/// Removes what there is of those of some artifacts that are gone.
pub(crate) async fn forget_artifacts(conn: &mut Connection, home: &str, ids: &[String]) -> Result<(), Error> {
    let of_them = metadata_nodes::table
        .filter(metadata_nodes::namespace.eq(home))
        .filter(metadata_nodes::source.eq(ARTIFACT))
        .filter(metadata_nodes::object.eq_any(ids));
    let there = artifacts::table.filter(artifacts::id.eq(metadata_nodes::object));
    diesel::delete(of_them.filter(not(exists(there)))).execute(conn).await?;
    Ok(())
}

/// Which of some tasks or artifacts have a number.
async fn known(conn: &mut Connection, home: &str, source: &str, ids: &[&str]) -> Result<HashSet<String>, Error> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let of_them = metadata_nodes::table
        .filter(metadata_nodes::namespace.eq(home))
        .filter(metadata_nodes::source.eq(source))
        .filter(metadata_nodes::object.eq_any(ids));
    let known: Vec<String> = of_them.select(metadata_nodes::object).load(conn).await?;
    Ok(known.into_iter().collect())
}

/// Those of some artifacts that have no number yet.
async fn new_artifacts(conn: &mut Connection, run: &OfRun<'_>, ids: &[&str]) -> Result<Vec<Head>, Error> {
    let known = known(conn, run.home, ARTIFACT, ids).await?;
    let new: Vec<&str> = ids.iter().copied().filter(|id| !known.contains(*id)).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let of_them = artifacts::table.filter(artifacts::namespace.eq(run.home)).filter(artifacts::id.eq_any(&new));
    let columns = (artifacts::id, artifacts::run_id, artifacts::kind, artifacts::created_at);
    let rows: Vec<(String, String, String, i64)> = of_them.order(artifacts::id).select(columns).load(conn).await?;
    let mut heads = Vec::with_capacity(rows.len());
    for (object, run_id, kind, created_at) in rows {
        let type_id = types::of_artifact(conn, run.home, &kind).await?;
        let head = Head {
            source: ARTIFACT.to_owned(),
            object,
            run_id,
            type_id,
            created_at,
            updated_at: created_at,
            ..Head::of(run, NodeKind::Artifact)
        };
        heads.push(head);
    }
    Ok(heads)
}

/// Gives nodes that go with a run their numbers, and writes them.
async fn add(conn: &mut Connection, run: &OfRun<'_>, mut new: Vec<Head>) -> Result<(), Error> {
    let first = ids::take(conn, run, new.len()).await?;
    for (id, head) in (first..).zip(&mut new) {
        head.id = id;
    }
    insert(conn, new).await
}

async fn insert(conn: &mut Connection, heads: Vec<Head>) -> Result<(), Error> {
    for batch in heads.chunks(BATCH) {
        diesel::insert_into(metadata_nodes::table).values(batch.to_vec()).execute(conn).await?;
    }
    Ok(())
}

async fn touch(conn: &mut Connection, run: &OfRun<'_>, objects: &[&str]) -> Result<(), Error> {
    if objects.is_empty() {
        return Ok(());
    }
    let of_them = metadata_nodes::table
        .filter(metadata_nodes::namespace.eq(run.home))
        .filter(metadata_nodes::object.eq_any(objects))
        .filter(metadata_nodes::source.eq_any([TASK, ROOT, RUN]));
    diesel::update(of_them).set(metadata_nodes::updated_at.eq(run.now.0)).execute(conn).await?;
    Ok(())
}

impl Head {
    /// A node of a run that was made just now. What it is has to be filled in.
    fn of(run: &OfRun<'_>, kind: NodeKind) -> Self {
        Self {
            namespace: run.home.to_owned(),
            id: 0,
            kind: kind.as_str().to_owned(),
            source: String::new(),
            object: String::new(),
            run_id: run.run_id.to_owned(),
            type_id: 0,
            name: String::new(),
            created_at: run.now.0,
            updated_at: run.now.0,
        }
    }
}

/// What a task is as an execution: whatever has tasks inside of it is one of a DAG.
fn type_of(kind: TaskKind) -> SystemType {
    match kind {
        TaskKind::Runtime => SystemType::CONTAINER,
        TaskKind::Importer => SystemType::IMPORTER,
        TaskKind::Dag
        | TaskKind::ConditionBranch
        | TaskKind::Condition
        | TaskKind::Loop
        | TaskKind::LoopIteration
        | TaskKind::ExitHandler => SystemType::DAG,
    }
}
