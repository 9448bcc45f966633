//! What the executor reads and writes of a run, under a system grant.
use crate::{
    Store, columns,
    connect::{read, write},
    runs::find,
    schema::{runs, tasks},
    tasks as task,
};
use access::Grant;
use api::access::{
    resource::Runs,
    verb::{Get, List, Update},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Backend, Home, Kind, Namespace, Result, Run, RunId, RuntimeState, StateChange, Task, Timestamp};
use std::collections::HashSet;

/// A run with what the engine kept of it.
#[derive(Clone, Debug)]
pub struct Execution {
    pub run: Run,
    /// The engine's state; empty before it first saved one.
    pub engine: String,
}

/// One step of a run: all of it is written, or none.
#[derive(Clone, Debug)]
pub struct Progress {
    pub run_id: RunId,
    pub engine: String,
    pub state: RuntimeState,
    pub error: Option<String>,
    /// The tasks that the step changed.
    pub tasks: Vec<Task>,
}

impl Store {
    /// The runs of all tenants that have not ended and are executed here.
    ///
    /// # Errors
    /// Of the database; `Internal` if the grant is not for all tenants.
    pub async fn unfinished_runs(&self, grant: &Grant<List, Runs>) -> Result<Vec<(RunId, Namespace)>> {
        if grant.home() != &Home::Cluster {
            return Err(domain::Error::internal("unfinished runs are asked for with a grant for all tenants"));
        }
        let rows: Vec<(String, String)> = read!(self, |conn| {
            let ours = runs::table.filter(runs::backend.eq(Backend::Local.as_str()));
            let all = ours.filter(runs::finished_at.eq(0)).order((runs::created_at, runs::id));
            Ok(all.select((runs::id, runs::namespace)).load(conn).await?)
        })?;
        let namespace = |text: &str| Home::from_column(text).namespace().cloned();
        Ok(rows.into_iter().filter_map(|(id, home)| Some((RunId::from_text(id), namespace(&home)?))).collect())
    }

    /// Which of some runs there are in the namespace of the grant.
    ///
    /// # Errors
    /// Of the database.
    pub async fn which_runs(&self, grant: &Grant<List, Runs>, ids: Vec<RunId>) -> Result<HashSet<RunId>> {
        grant.covers_all()?;
        let home = grant.home().as_column().to_owned();
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let there: Vec<String> = read!(self, |conn| {
            let of_them = runs::table.filter(runs::namespace.eq(home)).filter(runs::id.eq_any(ids));
            Ok(of_them.select(runs::id).load(conn).await?)
        })?;
        Ok(there.into_iter().map(RunId::from_text).collect())
    }

    /// A run as the executor needs it.
    ///
    /// # Errors
    /// `NotFound`, also after it was deleted.
    pub async fn execution(&self, grant: &Grant<Get, Runs>, id: &RunId) -> Result<Execution> {
        grant.covers(Kind::Run, id.as_str())?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_string());
        let (row, tasks, engine) = read!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            let tasks = task::of_run(conn, &home, &key).await?;
            // What is kept of a reported run is the workflow, as somebody else wrote it: no state of ours.
            let engine = match row.is_reported() {
                true => String::new(),
                false => runs::table.find(key).select(runs::engine).first(conn).await?,
            };
            Ok((row, tasks, engine))
        })?;
        Ok(Execution { run: row.with(tasks, Vec::new())?, engine })
    }

    /// Writes a step of a run. A run that is being terminated stays CANCELING until its final state comes.
    ///
    /// # Errors
    /// `NotFound` if the run was deleted meanwhile, `FailedPrecondition` if another engine executes it: nothing is
    /// written.
    pub async fn save_progress(&self, grant: &Grant<Update, Runs>, progress: Progress) -> Result<()> {
        grant.covers(Kind::Run, progress.run_id.as_str())?;
        let (home, now) = (grant.home().as_column().to_owned(), self.clock.now());
        Ok(write!(self, |conn| {
            let row = find(conn, &home, progress.run_id.as_str()).await?;
            row.executed_here("carry on with")?;
            let before = columns::word("runs.state", &row.state, RuntimeState::parse)?;
            let run = row.clone().with(Vec::new(), Vec::new())?;
            let canceling = before == RuntimeState::Canceling && !progress.state.is_final();
            let state = if canceling { before } else { progress.state };
            let mut history = run.history;
            if state != before {
                StateChange { at: now, state, error: progress.error.clone() }.append_to(&mut history);
            }
            let finished = if state.is_final() { run.finished_at.unwrap_or(now) } else { Timestamp(0) };
            let changes = (
                runs::state.eq(state.as_str()),
                runs::history.eq(columns::text(&history)),
                runs::error.eq(progress.error.unwrap_or_default()),
                runs::finished_at.eq(finished.0),
                runs::engine.eq(progress.engine),
            );
            diesel::update(runs::table.find(&row.id)).set(changes).execute(conn).await?;
            for changed in &progress.tasks {
                let changed = task::Row::new(&home, &row.id, changed);
                let own = tasks::table
                    .filter(tasks::id.eq(changed.id.clone()))
                    .filter(tasks::namespace.eq(home.clone()))
                    .filter(tasks::run_id.eq(row.id.clone()));
                let updated = diesel::update(own).set(changed.clone()).execute(conn).await?;
                if updated == 0 {
                    diesel::insert_into(tasks::table).values(changed).execute(conn).await?;
                }
            }
            Ok(())
        })?)
    }
}
