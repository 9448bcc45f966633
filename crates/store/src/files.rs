//! What the store knows of the files that tasks leave: whose they are, and where an output was put.
use crate::{
    Error, Store, artifacts, columns,
    connect::{Connection, read},
    schema::{runs, tasks},
    tasks as task,
};
use access::Grant;
use api::access::{
    resource::Runs,
    verb::{Get, ReadArtifact},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Backend, Kind, Result, RuntimeState, Task};

/// A task of a run, as it stands.
#[derive(Clone, Debug)]
pub struct Node {
    pub task: Task,
    /// Whether nothing more will come of it: it has ended, or its run has.
    pub settled: bool,
}

impl Store {
    /// The task that a node of a run is, to read its log. A node is a task's id, its path,
    /// or its name in the DAG.
    ///
    /// # Errors
    /// `NotFound` for the run, or for the task.
    pub async fn node(&self, grant: &Grant<Get, Runs>, run: &str, node: &str) -> Result<Node> {
        grant.covers(Kind::Run, run)?;
        let (home, run, node) = (grant.home().as_column().to_owned(), run.to_owned(), node.to_owned());
        let (row, state) = read!(self, |conn| {
            let it = runs::table.filter(runs::id.eq(&run)).filter(runs::namespace.eq(&home));
            let state: Option<String> = it.select(runs::state).first(conn).await.optional()?;
            let state = state.ok_or_else(|| domain::Error::not_found(Kind::Run, &run))?;
            Ok((find(conn, &home, &run, &node).await?, state))
        })?;
        let task = Task::try_from(row)?;
        let run = columns::word("runs.state", &state, RuntimeState::parse)?;
        Ok(Node { settled: task.state.is_final() || run.is_final(), task })
    }

    /// The task that a node of a run is, with the artifacts that it gave, to read them. A run of another engine has none
    /// on this host's disk, whatever clients have linked to it.
    ///
    /// # Errors
    /// `NotFound` for the run, or for the task.
    pub async fn recorded(&self, grant: &Grant<ReadArtifact, Runs>, run: &str, node: &str) -> Result<Task> {
        grant.covers(Kind::Run, run)?;
        let (home, run, node) = (grant.home().as_column().to_owned(), run.to_owned(), node.to_owned());
        let (row, artifacts) = read!(self, |conn| {
            let it = runs::table.filter(runs::id.eq(&run)).filter(runs::namespace.eq(&home));
            let backend: Option<String> = it.select(runs::backend).first(conn).await.optional()?;
            let backend = backend.ok_or_else(|| domain::Error::not_found(Kind::Run, &run))?;
            let row = find(conn, &home, &run, &node).await?;
            let ids = [row.id.clone()];
            let artifacts = artifacts::of_tasks(conn, &home, &run, Some(&ids)).await?.remove(&row.id);
            let mut given = artifacts.unwrap_or_default().1;
            if backend != Backend::Local.as_str() {
                given.retain(|_, list| list.iter().all(|artifact| !artifact.uri.starts_with('/')));
            }
            Ok((row, given))
        })?;
        let mut task = Task::try_from(row)?;
        task.outputs.artifacts = artifacts;
        Ok(task)
    }
}

/// The task of that id, else the one of that path, else one of that name: the pipeline's author chooses names, and none
/// may hide a task.
async fn find(conn: &mut Connection, home: &str, run: &str, node: &str) -> Result<task::Row, Error> {
    let of_run = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::run_id.eq(run));
    let of_it = of_run.filter(tasks::id.eq(node).or(tasks::path.eq(node)).or(tasks::name.eq(node)));
    let mut rows: Vec<task::Row> = of_it.order(tasks::id).select(task::Row::as_select()).load(conn).await?;
    let at = |what: fn(&task::Row) -> &str| rows.iter().position(|row| what(row) == node);
    match at(|row| &row.id).or(at(|row| &row.path)).or(at(|row| &row.name)) {
        Some(at) => Ok(rows.swap_remove(at)),
        None => Err(domain::Error::not_found(Kind::Task, node).into()),
    }
}
