//! What the executor reads and writes of a run, under a system grant.
use crate::{
    Store, columns,
    connect::{read, write},
    runs::find,
    schedules,
    schema::runs,
    tasks as task,
};
use access::Grant;
use api::access::{
    resource::Runs,
    verb::{Get, List, Update},
};
use diesel::{dsl::sql, prelude::*, sql_types::Bool};
use diesel_async::RunQueryDsl;
use domain::{Backend, Home, Kind, Namespace, Result, Run, RunId, RuntimeState, StateChange, Task, TaskIo, Timestamp};
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
    /// The name that the pipeline gives itself.
    pub pipeline_name: String,
    pub engine: String,
    pub state: RuntimeState,
    pub error: Option<String>,
    /// What the pipeline has given, once it has succeeded.
    pub outputs: Option<TaskIo>,
    /// The tasks that the step changed.
    pub tasks: Vec<Task>,
}

impl Store {
    /// The runs of all tenants that have not ended and are executed here.
    ///
    /// # Errors
    /// Of the database; `Internal` if the grant is not for all tenants.
    pub async fn unfinished_runs(&self, grant: &Grant<List, Runs>) -> Result<Vec<(RunId, Namespace)>> {
        grant.covers_all_tenants()?;
        let rows: Vec<(String, String)> = read!(self, |conn| {
            let ours = runs::table.filter(runs::backend.eq(Backend::Local.as_str()));
            let all = ours.filter(runs::finished_at.eq(0)).order((runs::created_at, runs::id));
            Ok(all.select((runs::id, runs::namespace)).load(conn).await?)
        })?;
        Ok(with_namespaces(rows))
    }

    /// The first of them that wait to be taken up, or to be ended, `most` of them.
    ///
    /// # Errors
    /// As of [`Store::unfinished_runs`].
    pub async fn awaited_runs(&self, grant: &Grant<List, Runs>, most: i64) -> Result<Vec<(RunId, Namespace)>> {
        grant.covers_all_tenants()?;
        let awaited = [RuntimeState::Pending, RuntimeState::Canceling].map(RuntimeState::as_str);
        let rows: Vec<(String, String)> = read!(self, |conn| {
            let ours = runs::table.filter(runs::backend.eq(Backend::Local.as_str()));
            // PostgreSQL knows the index of those by the number itself.
            let unfinished = ours.filter(sql::<Bool>("finished_at = 0")).filter(runs::state.eq_any(awaited));
            let first = unfinished.order((runs::created_at, runs::id)).limit(most);
            Ok(first.select((runs::id, runs::namespace)).load(conn).await?)
        })?;
        Ok(with_namespaces(rows))
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
        let specs = self.specs.clone();
        let (row, spec, tasks, engine) = read!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            let tasks = task::Of { home: &home, run_id: &key }.whole(conn, None).await?;
            // What is kept of a reported run is the workflow, as somebody else wrote it: no state of ours.
            let engine = match row.is_reported() {
                true => String::new(),
                false => runs::table.find(key).select(runs::engine).first(conn).await?,
            };
            let spec = specs.read(conn, &home, &row.spec_hash).await?;
            Ok((row, spec, tasks, engine))
        })?;
        Ok(Execution { run: row.with(spec, tasks, Vec::new())?, engine })
    }

    /// Writes a step of a run, and says the how manyth it is: state changes that had no revision have this one now. A
    /// run that is being terminated stays CANCELING until its final state comes.
    ///
    /// # Errors
    /// `NotFound` if the run was deleted meanwhile, `FailedPrecondition` if another engine executes it: nothing is
    /// written.
    pub async fn save_progress(&self, grant: &Grant<Update, Runs>, progress: Progress) -> Result<u64> {
        grant.covers(Kind::Run, progress.run_id.as_str())?;
        let (home, now) = (grant.home().as_column().to_owned(), self.clock.now());
        let id = progress.run_id.clone();
        let (revision, woken) = write!(self, |conn| {
            let row = find(conn, &home, progress.run_id.as_str()).await?;
            row.executed_here("carry on with")?;
            let before = columns::word("runs.state", &row.state, RuntimeState::parse)?;
            let canceling = before == RuntimeState::Canceling && !progress.state.is_final();
            let state = if canceling { before } else { progress.state };
            let change = (state != before).then(|| StateChange::new(now, state, progress.error.clone()));
            let (history, revision) = row.step(change)?;
            let finished =
                if state.is_final() { columns::moment(row.finished_at).unwrap_or(now) } else { Timestamp(0) };
            let changes = (
                runs::state.eq(state.as_str()),
                runs::history.eq(history),
                runs::error.eq(progress.error.unwrap_or_default()),
                runs::finished_at.eq(finished.0),
                runs::engine.eq(progress.engine),
                runs::revision.eq(revision),
                runs::outputs.eq(progress.outputs.map(|outputs| columns::text(&outputs)).unwrap_or_default()),
            );
            diesel::update(runs::table.find(&row.id)).set(changes).execute(conn).await?;
            let of_run = task::OfRun {
                home: &home,
                run_id: &row.id,
                pipeline_name: &progress.pipeline_name,
                revision: revision.unsigned_abs(),
                now,
            };
            of_run.save(conn, &progress.tasks).await?;
            let woken = state.is_final() && schedules::run_has_ended(conn, &row.recurring_run_id).await?;
            Ok((revision.unsigned_abs(), woken))
        })?;
        if woken {
            self.schedules_changed.notify_one();
        }
        self.wakes.wake(grant.home().as_column(), id.as_str());
        Ok(revision)
    }
}

/// Ids of runs, each with the namespace that its column names.
fn with_namespaces(rows: Vec<(String, String)>) -> Vec<(RunId, Namespace)> {
    let namespace = |text: &str| Home::from_column(text).namespace().cloned();
    rows.into_iter().filter_map(|(id, home)| Some((RunId::from_text(id), namespace(&home)?))).collect()
}
