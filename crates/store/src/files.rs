//! What the store knows of the files that tasks leave: whose they are, and where an output was put.
use crate::{
    Error, Store, columns,
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

/// A task with the engine's state of its run, which has the outputs.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub task: Task,
    /// Empty before the engine first saved one, and for runs that are executed elsewhere.
    pub engine: String,
}

impl Store {
    /// The task that a node of a run is, to read its log. A node is a task's id, or its name in the DAG.
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

    /// The task that a node of a run is, to read its artifacts, with what is recorded of them.
    ///
    /// # Errors
    /// `NotFound` for the run, or for the task.
    pub async fn recorded(&self, grant: &Grant<ReadArtifact, Runs>, run: &str, node: &str) -> Result<Recorded> {
        grant.covers(Kind::Run, run)?;
        let (home, run, node) = (grant.home().as_column().to_owned(), run.to_owned(), node.to_owned());
        let (row, engine) = read!(self, |conn| {
            let it = runs::table.filter(runs::id.eq(&run)).filter(runs::namespace.eq(&home));
            let found: Option<(String, String)> =
                it.select((runs::engine, runs::backend)).first(conn).await.optional()?;
            let (engine, backend) = found.ok_or_else(|| domain::Error::not_found(Kind::Run, &run))?;
            // What is kept of a reported run is the workflow, as somebody else wrote it: it records nothing.
            let engine = if backend == Backend::Local.as_str() { engine } else { String::new() };
            Ok((find(conn, &home, &run, &node).await?, engine))
        })?;
        Ok(Recorded { task: row.try_into()?, engine })
    }
}

/// The task of that id, else the one of that name: the pipeline's author chooses names, and none may hide a task.
async fn find(conn: &mut Connection, home: &str, run: &str, node: &str) -> Result<task::Row, Error> {
    let of_run = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::run_id.eq(run));
    let of_it = of_run.filter(tasks::id.eq(node).or(tasks::name.eq(node)));
    let mut rows: Vec<task::Row> = of_it.order(tasks::id).select(task::Row::as_select()).load(conn).await?;
    match rows.iter().position(|row| row.id == node).or((!rows.is_empty()).then_some(0)) {
        Some(at) => Ok(rows.swap_remove(at)),
        None => Err(domain::Error::not_found(Kind::Task, node).into()),
    }
}
