//! Runs, as clients see them. What the engine writes is in `progress`.
mod list;
mod row;

use crate::{
    Error, Store, artifacts, columns,
    connect::{self, Connection, read, write},
    counts::{Counted, What},
    metadata, metrics,
    quotas::{Limits, Quota},
    recent::Recent,
    schedules,
    schema::{experiments, recurring_runs, reported_tasks, run_metrics, runs, tasks},
    specs::{self, Specs},
    tasks as task,
};
use access::Grant;
use api::access::{
    resource::{Jobs, Runs},
    verb::*,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Code, Kind, NewRun, Result, Run, RuntimeState, StateChange, StorageState};
use std::{collections::BTreeMap, sync::Arc};

pub use list::ListScope;
pub(crate) use row::Row;

/// The recurring run that a run is made for, with what its maker may do besides.
#[derive(Clone, Copy, Debug)]
pub struct OfRecurring<'a> {
    pub id: &'a str,
    pub recurring_run: &'a Grant<Get, Jobs>,
    /// To see runs of the namespace.
    pub runs: Option<&'a Grant<Get, Runs>>,
}

impl Store {
    /// Makes a run, PENDING, in an experiment of the grant's namespace.
    ///
    /// # Errors
    /// `NotFound` for the experiment; `AlreadyExists` for an id that was chosen and is taken; `ResourceExhausted` if the
    /// namespace has as many runs as it may, or as many that have not ended.
    pub async fn create_run(&self, grant: &Grant<Create, Runs>, new: NewRun) -> Result<Run> {
        self.insert_run(grant, None, new).await
    }

    /// The same for a recurring run, which has one run of a name: asked for it again, this gives the one that is there.
    ///
    /// # Errors
    /// As [`Store::create_run`]; `NotFound` for the recurring run, which must be of the same namespace; `AlreadyExists`
    /// if the run is there and its maker may not see it.
    pub async fn create_run_of(&self, grant: &Grant<Create, Runs>, of: OfRecurring<'_>, new: NewRun) -> Result<Run> {
        of.recurring_run.covers(Kind::RecurringRun, of.id)?;
        if of.recurring_run.home() != grant.home() {
            return Err(domain::Error::not_found(Kind::RecurringRun, of.id));
        }
        self.insert_run(grant, Some(of), new).await
    }

    async fn insert_run(&self, grant: &Grant<Create, Runs>, of: Option<OfRecurring<'_>>, new: NewRun) -> Result<Run> {
        grant.covers_all()?;
        let seen = of.as_ref().and_then(|of| of.runs).is_some_and(|runs| runs.home() == grant.home());
        let now = self.clock.now();
        let of_id = of.map(|of| of.id).unwrap_or_default();
        let (row, spec) = Row::new(new, grant.namespace()?, of_id, grant.who().user(), now);
        let (insert, text, specs) = (row.clone(), spec.clone(), self.specs.clone());
        let limits = self.limits(grant.home());
        let made: Result<Option<Run>, Error> = write!(self, |conn| {
            if let Some(there) = of_recurring_run(conn, &insert).await? {
                if !seen {
                    let text = format!("recurring run {} has a run {:?} already", there.recurring_run_id, there.name);
                    return Err(domain::Error::exists(text).into());
                }
                return Ok(Some(complete(conn, &specs, there).await?));
            }
            admit(conn, vec![Admitted { run: insert, spec: text, limits }]).await?;
            Ok(None)
        });
        match made {
            Ok(Some(there)) => Ok(there),
            Ok(None) => Ok(row.with(spec, Vec::new(), Vec::new())?),
            Err(error) if error.is_taken() => Err(domain::Error::exists(format!("there is a run {} already", row.id))),
            Err(error) => Err(error.into()),
        }
    }

    /// A run that the grant reaches, with its tasks.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn run(&self, grant: &Grant<Get, Runs>, id: &str) -> Result<Arc<Run>> {
        grant.covers(Kind::Run, id)?;
        let recent = self.access.recent();
        if let Some(run) = recent.and_then(|recent| recent.get(grant.home().as_column(), id)) {
            return Ok(run);
        }
        let since = recent.map(Recent::since);
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let specs = self.specs.clone();
        let run = Arc::new(connect::find!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            complete(conn, &specs, row).await
        })?);
        if let (Some(recent), Some(since)) = (recent, since) {
            recent.keep(&since, &run);
        }
        Ok(run)
    }

    /// Puts a run away. It keeps running if it does.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn archive_run(&self, grant: &Grant<Archive, Runs>, id: &str) -> Result<()> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(write!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            set_storage(conn, &row, StorageState::Archived).await
        })?)
    }

    /// Brings a run back.
    ///
    /// # Errors
    /// `NotFound`; `FailedPrecondition` while its experiment is archived.
    pub async fn unarchive_run(&self, grant: &Grant<Unarchive, Runs>, id: &str) -> Result<()> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(write!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            let of_it = experiments::table.find(row.experiment_id.clone()).select(experiments::storage_state);
            let experiment: Option<String> = of_it.first(conn).await.optional()?;
            if experiment.as_deref() == Some(StorageState::Archived.as_str()) {
                let text = format!(
                    "run {key} belongs to experiment {}, which is archived: unarchive that first",
                    row.experiment_id
                );
                return Err(domain::Error::precondition(text).into());
            }
            set_storage(conn, &row, StorageState::Available).await
        })?)
    }

    /// Deletes a run with its tasks and metrics, whatever its state.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_run(&self, grant: &Grant<Delete, Runs>, id: &str) -> Result<()> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        write!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            remove(conn, &row).await
        })?;
        self.wakes.wake(grant.home().as_column(), id);
        Ok(())
    }

    /// Asks for the end of a run: CANCELING, and by whom. The executor does the rest.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` if it has ended; `FailedPrecondition` if another engine executes it. Asking twice is
    /// fine.
    pub async fn terminate_run(&self, grant: &Grant<Terminate, Runs>, id: &str) -> Result<()> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let (by, now) = (grant.who().user().to_owned(), self.clock.now());
        write!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            row.executed_here("end")?;
            let state = columns::word("runs.state", &row.state, RuntimeState::parse)?;
            if state == RuntimeState::Canceling {
                return Ok(());
            }
            if state.is_final() {
                return Err(
                    domain::Error::invalid(format!("run {key} has ended as {state} and cannot be terminated")).into()
                );
            }
            let (history, revision) = row.step(Some(StateChange::new(now, RuntimeState::Canceling, None)))?;
            let changes = (
                runs::state.eq(RuntimeState::Canceling.as_str()),
                runs::terminated_by.eq(by),
                runs::history.eq(history),
                runs::revision.eq(revision),
            );
            diesel::update(runs::table.find(key)).set(changes).execute(conn).await?;
            Ok(())
        })?;
        self.wakes.wake(grant.home().as_column(), id);
        Ok(())
    }

    /// The definition of a run that is to go on, for whoever has to judge it first. Empty for one that another engine
    /// executes.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn definition_to_retry(&self, grant: &Grant<Retry, Runs>, id: &str) -> Result<Arc<str>> {
        grant.covers(Kind::Run, id)?;
        let (home, key, specs) = (grant.home().as_column().to_owned(), id.to_owned(), self.specs.clone());
        Ok(read!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            specs.read(conn, &home, &row.spec_hash).await
        })?)
    }

    /// Lets a failed run go on: PENDING again, with what has succeeded kept. The executor does the rest.
    ///
    /// # Errors
    /// `NotFound`; `Aborted` if it has not failed; `FailedPrecondition` if another engine executes it;
    /// `ResourceExhausted` if the namespace has as many runs that have not ended as it may.
    pub async fn retry_run(&self, grant: &Grant<Retry, Runs>, id: &str) -> Result<()> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let (now, limits) = (self.clock.now(), self.limits(grant.home()));
        write!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            row.executed_here("retry")?;
            let state = columns::word("runs.state", &row.state, RuntimeState::parse)?;
            if state != RuntimeState::Failed {
                let text = format!("run {key} is {state}, and only a FAILED one can be retried");
                return Err(domain::Error::new(Code::Aborted, text).into());
            }
            limits.admit(conn, &home, Quota::ActiveRuns, 1).await?;
            let (history, revision) = row.step(Some(StateChange::new(now, RuntimeState::Pending, None)))?;
            let changes = (
                runs::state.eq(RuntimeState::Pending.as_str()),
                runs::history.eq(history),
                runs::revision.eq(revision),
                runs::error.eq(""),
                runs::terminated_by.eq(""),
                runs::finished_at.eq(0),
            );
            diesel::update(runs::table.find(key)).set(changes).execute(conn).await?;
            Ok(())
        })?;
        self.wakes.wake(grant.home().as_column(), id);
        Ok(())
    }
}

/// The run of that id in that home.
pub(crate) async fn find(conn: &mut Connection, home: &str, id: &str) -> Result<Row, Error> {
    let row = find_if_any(conn, home, id).await?;
    Ok(row.ok_or_else(|| domain::Error::not_found(Kind::Run, id))?)
}

/// Deletes a run with all that belongs to it.
pub(crate) async fn remove(conn: &mut Connection, row: &Row) -> Result<(), Error> {
    let (home, key) = (&row.namespace, &row.id);
    artifacts::forget(conn, home, key).await?;
    metadata::forget(conn, home, key).await?;
    let of_it = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::run_id.eq(key));
    diesel::delete(of_it).execute(conn).await?;
    diesel::delete(run_metrics::table.filter(run_metrics::run_id.eq(key))).execute(conn).await?;
    let of_it = reported_tasks::table.filter(reported_tasks::namespace.eq(home));
    diesel::delete(of_it.filter(reported_tasks::run_id.eq(key))).execute(conn).await?;
    diesel::delete(runs::table.find(key)).execute(conn).await?;
    specs::let_go(conn, home, &row.spec_hash).await?;
    if row.finished_at == 0 {
        schedules::run_has_ended(conn, &row.recurring_run_id).await?;
    }
    row.counted().add(conn, &row.storage_state, -1).await
}

/// The run of that id in that home, or nothing.
pub(crate) async fn find_if_any(conn: &mut Connection, home: &str, id: &str) -> Result<Option<Row>, Error> {
    let it = runs::table.filter(runs::id.eq(id)).filter(runs::namespace.eq(home));
    Ok(it.select(Row::as_select()).first(conn).await.optional()?)
}

/// A run that was made just now, with its definition and what its namespace may have.
pub(crate) struct Admitted {
    pub(crate) run: Row,
    pub(crate) spec: Arc<str>,
    pub(crate) limits: Limits,
}

/// Inserts runs that were made just now, if their experiments are there and their namespaces may have as many more.
pub(crate) async fn admit(conn: &mut Connection, all: Vec<Admitted>) -> Result<(), Error> {
    // Each place with the last moment there, and how many are made.
    let (mut last_runs, mut homes) = (BTreeMap::new(), BTreeMap::new());
    for Admitted { run, limits, .. } in &all {
        let last = last_runs.entry((&run.namespace, &run.experiment_id)).or_insert(run.created_at);
        *last = run.created_at.max(*last);
        homes.entry(&run.namespace).or_insert((*limits, 0)).1 += 1;
    }
    for ((home, id), last) in last_runs {
        let it = experiments::table.filter(experiments::id.eq(id)).filter(experiments::namespace.eq(home));
        if diesel::update(it).set(experiments::last_run_at.eq(last)).execute(conn).await? == 0 {
            return Err(domain::Error::not_found(Kind::Experiment, id).into());
        }
    }
    for (home, (limits, new)) in homes {
        limits.admit(conn, home, Quota::StoredRuns, new).await?;
        limits.admit(conn, home, Quota::ActiveRuns, new).await?;
    }
    insert(conn, all.into_iter().map(|Admitted { run, spec, .. }| (run, spec)).collect()).await
}

/// Inserts new runs with their definitions.
pub(crate) async fn insert(conn: &mut Connection, all: Vec<(Row, Arc<str>)>) -> Result<(), Error> {
    let mut specs = BTreeMap::new();
    let mut counted: BTreeMap<_, (Counted, i64)> = BTreeMap::new();
    for (row, spec) in &all {
        specs.insert((&row.namespace, &row.spec_hash), spec);
        let place = (&row.namespace, &row.experiment_id, &row.storage_state);
        counted.entry(place).or_insert_with(|| (row.counted(), 0)).1 += 1;
    }
    for ((home, hash), spec) in specs {
        specs::keep(conn, home, hash, spec).await?;
    }
    for ((_, _, state), (counted, new)) in counted {
        counted.add(conn, state, new).await?;
    }
    let rows: Vec<_> = all.into_iter().map(|(row, _)| (row, runs::engine.eq(""))).collect();
    // The statement for a single one stays prepared, those for several do not.
    match <[_; 1]>::try_from(rows) {
        Ok([row]) => diesel::insert_into(runs::table).values(row).execute(conn).await?,
        Err(rows) => diesel::insert_into(runs::table).values(rows).execute(conn).await?,
    };
    Ok(())
}

async fn set_storage(conn: &mut Connection, row: &Row, state: StorageState) -> Result<(), Error> {
    if row.storage_state == state.as_str() {
        return Ok(());
    }
    let change = runs::storage_state.eq(state.as_str());
    diesel::update(runs::table.find(&row.id)).set(change).execute(conn).await?;
    row.counted().add(conn, &row.storage_state, -1).await?;
    row.counted().add(conn, state.as_str(), 1).await
}

/// Archives all runs of an experiment, which is being archived.
pub(crate) async fn archive_all(conn: &mut Connection, home: &str, experiment_id: &str) -> Result<(), Error> {
    let (before, after) = (StorageState::Available.as_str(), StorageState::Archived.as_str());
    let of_it = runs::table.filter(runs::namespace.eq(home)).filter(runs::experiment_id.eq(experiment_id));
    let others = of_it.filter(runs::storage_state.eq(before));
    let moved = diesel::update(others).set(runs::storage_state.eq(after)).execute(conn).await?;
    let (counted, moved) = (Counted::of(What::Runs, home, experiment_id), i64::try_from(moved).unwrap_or(i64::MAX));
    counted.add(conn, before, -moved).await?;
    counted.add(conn, after, moved).await
}

/// The row with all that belongs to it.
async fn complete(conn: &mut Connection, specs: &Specs, row: Row) -> Result<Run, Error> {
    let spec = specs.read(conn, &row.namespace, &row.spec_hash).await?;
    let tasks = task::of_run(conn, &row.namespace, &row.id).await?;
    let metrics = metrics::of_run(conn, &row.namespace, &row.id).await?;
    row.with(spec, tasks, metrics)
}

/// The run that `new` would be made a second time of, if its recurring run has one of that name. The recurring run must
/// be of the same namespace.
async fn of_recurring_run(conn: &mut Connection, new: &Row) -> Result<Option<Row>, Error> {
    if new.recurring_run_id.is_empty() {
        return Ok(None);
    }
    let recurring = recurring_runs::table
        .filter(recurring_runs::id.eq(&new.recurring_run_id))
        .filter(recurring_runs::namespace.eq(&new.namespace));
    if recurring.count().get_result::<i64>(conn).await? == 0 {
        return Err(domain::Error::not_found(Kind::RecurringRun, &new.recurring_run_id).into());
    }
    let same = runs::table
        .filter(runs::namespace.eq(&new.namespace))
        .filter(runs::recurring_run_id.eq(&new.recurring_run_id))
        .filter(runs::name.eq(&new.name));
    Ok(same.select(Row::as_select()).first(conn).await.optional()?)
}
