//! Runs, as clients see them. What the engine writes is in `progress`.
mod by_metric;
mod row;

use crate::{
    Error, Store, artifacts, columns,
    connect::{Connection, read, write},
    metrics,
    page::{Plan, Weigh, keys},
    schema::{experiments, recurring_runs, reported_tasks, run_metrics, runs, tasks},
    tasks as task,
};
use access::Grant;
use api::access::{
    resource::{Jobs, Runs},
    verb::*,
};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    Backend, Code, Kind, NewRun, Result, Run, RunId, RuntimeState, Source, StateChange, StorageState, Task,
    list::{Page, Query},
};
use futures::future::BoxFuture;
use std::collections::HashMap;

pub(crate) use row::Row;

/// Which runs, or recurring runs, of the grant's home a list is about.
#[derive(Clone, Debug)]
pub enum ListScope {
    Everything,
    Experiment(String),
}

/// The recurring run that a run is made for, with what its maker may do besides.
#[derive(Clone, Copy, Debug)]
pub struct OfRecurring<'a> {
    pub id: &'a str,
    pub recurring_run: &'a Grant<Get, Jobs>,
    /// To see runs of the namespace.
    pub runs: Option<&'a Grant<Get, Runs>>,
}

/// What a task and a metric of a run weigh, in bytes: little, but a run can have thousands.
const TASK: usize = 1024;
const METRIC: usize = 128;

impl Weigh for Row {
    fn bytes(&self) -> usize {
        self.spec.len() + self.parameters.len()
    }

    fn besides<'a>(conn: &'a mut Connection, rows: &'a [Self]) -> BoxFuture<'a, Result<HashMap<String, usize>, Error>> {
        Box::pin(async move {
            let Some(home) = rows.first().map(|row| &row.namespace) else { return Ok(HashMap::new()) };
            let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
            let of_them = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::run_id.eq_any(&ids));
            let counted = of_them.group_by(tasks::run_id).select((tasks::run_id, count_star()));
            let mut besides = HashMap::new();
            for (id, count) in counted.load::<(String, i64)>(conn).await? {
                *besides.entry(id).or_default() += usize::try_from(count).unwrap_or_default() * TASK;
            }
            let of_them = run_metrics::table.filter(run_metrics::namespace.eq(home));
            let of_them = of_them.filter(run_metrics::run_id.eq_any(&ids));
            let counted = of_them.group_by(run_metrics::run_id).select((run_metrics::run_id, count_star()));
            for (id, count) in counted.load::<(String, i64)>(conn).await? {
                *besides.entry(id).or_default() += usize::try_from(count).unwrap_or_default() * METRIC;
            }
            Ok(besides)
        })
    }
}

fn state_v1(text: &str) -> Option<String> {
    RuntimeState::parse_v1(text).map(|state| state.as_str().to_owned())
}

keys!(runs, Row, {
    "id" | "run_id" => text id,
    "name" | "display_name" => text name,
    "description" => text description,
    "namespace" => text namespace,
    "experiment_id" => text experiment_id,
    "recurring_run_id" => text recurring_run_id,
    "created_at" => time created_at,
    "created_by" => text created_by,
    "scheduled_at" => time scheduled_at,
    "finished_at" => time finished_at,
    "storage_state" => text(columns::storage_state) storage_state,
    "state" => text state,
    "status" => text(state_v1) state,
});

impl Store {
    /// Makes a run, PENDING, in an experiment of the grant's namespace.
    ///
    /// # Errors
    /// `NotFound` for the experiment; `AlreadyExists` for an id that was chosen and is taken.
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
        let (pipeline_id, version_id, version_name) = match new.source {
            Source::Inline => Default::default(),
            Source::Version { pipeline_id, version_id, version_name } => {
                (pipeline_id.to_string(), version_id.to_string(), version_name)
            }
        };
        let row = Row {
            id: new.id.unwrap_or_else(RunId::fresh).to_string(),
            namespace: grant.namespace()?.to_string(),
            experiment_id: new.experiment_id.to_string(),
            name: new.name,
            description: new.description,
            service_account: new.service_account,
            pipeline_id,
            version_id,
            version_name,
            spec: new.spec,
            parameters: columns::text(&new.parameters),
            pipeline_root: new.pipeline_root,
            recurring_run_id: of.map(|of| of.id.to_owned()).unwrap_or_default(),
            ..Row::pending(grant.who().user().to_owned(), now, Backend::Local)
        };
        let insert = row.clone();
        let made: Result<Option<Run>, Error> = write!(self, |conn| {
            if let Some(there) = of_recurring_run(conn, &insert).await? {
                if !seen {
                    let text = format!("recurring run {} has a run {:?} already", there.recurring_run_id, there.name);
                    return Err(domain::Error::exists(text).into());
                }
                return Ok(Some(complete(conn, there).await?));
            }
            let experiment = experiments::table
                .filter(experiments::id.eq(&insert.experiment_id))
                .filter(experiments::namespace.eq(&insert.namespace));
            if diesel::update(experiment).set(experiments::last_run_at.eq(now.0)).execute(conn).await? == 0 {
                return Err(domain::Error::not_found(Kind::Experiment, &insert.experiment_id).into());
            }
            diesel::insert_into(runs::table).values((insert, runs::engine.eq(""))).execute(conn).await?;
            Ok(None)
        });
        match made {
            Ok(Some(there)) => Ok(there),
            Ok(None) => Ok(row.with(Vec::new(), Vec::new())?),
            Err(error) if error.is_taken() => Err(domain::Error::exists(format!("there is a run {} already", row.id))),
            Err(error) => Err(error.into()),
        }
    }

    /// A run that the grant reaches, with its tasks.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn run(&self, grant: &Grant<Get, Runs>, id: &str) -> Result<Run> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(read!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            complete(conn, row).await
        })?)
    }

    /// One page of runs with their tasks.
    ///
    /// # Errors
    /// `InvalidArgument` for an order, a filter or a token that is not one.
    pub async fn runs(&self, grant: &Grant<List, Runs>, scope: ListScope, query: Query) -> Result<Page<Run>> {
        let list = match &scope {
            ListScope::Everything => "runs".to_owned(),
            ListScope::Experiment(id) => format!("runs of {id}"),
        };
        grant.covers_all()?;
        let plan = Plan::read(query, &list, grant.home(), &self.page_key)?;
        let (home, key) = (grant.home().as_column().to_owned(), self.page_key.clone());
        let (page, task_rows, mut metrics) = read!(self, |conn| {
            let all = || {
                let of_home = runs::table.filter(runs::namespace.eq(home.clone())).into_boxed();
                match &scope {
                    ListScope::Everything => of_home,
                    ListScope::Experiment(id) => of_home.filter(runs::experiment_id.eq(id.clone())),
                }
            };
            let page = match plan.sort.field.starts_with(by_metric::PREFIX) {
                true => by_metric::page(conn, plan, &key, all).await?,
                false => page(conn, plan, &key, all).await?,
            };
            let ids: Vec<String> = page.items.iter().map(|row| row.id.clone()).collect();
            let metrics = metrics::of_runs(conn, &home, &ids).await?;
            let of_them = tasks::table.filter(tasks::namespace.eq(home.clone())).filter(tasks::run_id.eq_any(ids));
            let task_rows: Vec<task::Row> = of_them.order(tasks::id).select(task::Row::as_select()).load(conn).await?;
            Ok((page, task_rows, metrics))
        })?;
        let mut by_run: HashMap<String, Vec<Task>> = HashMap::new();
        for row in task_rows {
            by_run.entry(row.run_id.clone()).or_default().push(row.try_into()?);
        }
        Ok(page.try_map(|row| {
            let (tasks, metrics) = (by_run.remove(&row.id), metrics.remove(&row.id));
            row.with(tasks.unwrap_or_default(), metrics.unwrap_or_default())
        })?)
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
            find(conn, &home, &key).await?;
            artifacts::forget(conn, &home, &key).await?;
            let of_it = tasks::table.filter(tasks::namespace.eq(&home)).filter(tasks::run_id.eq(&key));
            diesel::delete(of_it).execute(conn).await?;
            diesel::delete(run_metrics::table.filter(run_metrics::run_id.eq(&key))).execute(conn).await?;
            let of_it = reported_tasks::table.filter(reported_tasks::namespace.eq(&home));
            diesel::delete(of_it.filter(reported_tasks::run_id.eq(&key))).execute(conn).await?;
            diesel::delete(runs::table.find(key)).execute(conn).await?;
            Ok(())
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
    pub async fn definition_to_retry(&self, grant: &Grant<Retry, Runs>, id: &str) -> Result<String> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(read!(self, |conn| Ok(find(conn, &home, &key).await?.spec))?)
    }

    /// Lets a failed run go on: PENDING again, with what has succeeded kept. The executor does the rest.
    ///
    /// # Errors
    /// `NotFound`; `Aborted` if it has not failed; `FailedPrecondition` if another engine executes it.
    pub async fn retry_run(&self, grant: &Grant<Retry, Runs>, id: &str) -> Result<()> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let now = self.clock.now();
        write!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            row.executed_here("retry")?;
            let state = columns::word("runs.state", &row.state, RuntimeState::parse)?;
            if state != RuntimeState::Failed {
                let text = format!("run {key} is {state}, and only a FAILED one can be retried");
                return Err(domain::Error::new(Code::Aborted, text).into());
            }
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

/// The same, or nothing.
pub(crate) async fn find_if_any(conn: &mut Connection, home: &str, id: &str) -> Result<Option<Row>, Error> {
    let it = runs::table.filter(runs::id.eq(id)).filter(runs::namespace.eq(home));
    Ok(it.select(Row::as_select()).first(conn).await.optional()?)
}

async fn set_storage(conn: &mut Connection, row: &Row, state: StorageState) -> Result<(), Error> {
    let change = runs::storage_state.eq(state.as_str());
    diesel::update(runs::table.find(&row.id)).set(change).execute(conn).await?;
    Ok(())
}

/// The row with all that belongs to it.
async fn complete(conn: &mut Connection, row: Row) -> Result<Run, Error> {
    let tasks = task::of_run(conn, &row.namespace, &row.id).await?;
    let mut metrics = metrics::of_runs(conn, &row.namespace, std::slice::from_ref(&row.id)).await?;
    let metrics = metrics.remove(&row.id).unwrap_or_default();
    row.with(tasks, metrics)
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
