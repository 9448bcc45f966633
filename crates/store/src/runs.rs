//! Runs, as clients see them. What the engine writes is in `progress`.
use crate::{
    Error, Store, columns,
    connect::{Connection, read, write},
    page::{Plan, Weigh, keys},
    schema::{experiments, runs, tasks},
    tasks as task,
};
use access::Grant;
use api::access::{resource::Runs, verb::*};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    ExperimentId, Home, Kind, NewRun, PipelineId, PipelineVersionId, Result, Run, RunId, RuntimeState, Source,
    StateChange, StorageState, Task, Timestamp,
    list::{Page, Query},
};
use std::collections::HashMap;

/// Which runs of the grant's home a list is about.
#[derive(Clone, Debug)]
pub enum RunScope {
    Everything,
    Experiment(String),
}

/// The columns that clients see; the engine's own is left out.
#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = runs, check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) namespace: String,
    experiment_id: String,
    name: String,
    description: String,
    storage_state: String,
    service_account: String,
    pipeline_id: String,
    version_id: String,
    version_name: String,
    spec: String,
    parameters: String,
    pipeline_root: String,
    created_at: i64,
    scheduled_at: i64,
    finished_at: i64,
    pub(crate) state: String,
    history: String,
    error: String,
    recurring_run_id: String,
    created_by: String,
    terminated_by: String,
}

fn state_v1(text: &str) -> Option<String> {
    RuntimeState::parse_v1(text).map(|state| state.as_str().to_owned())
}

impl Weigh for Row {
    fn bytes(&self) -> usize {
        self.spec.len() + self.parameters.len()
    }
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

impl Row {
    /// The run, with the tasks that belong to it.
    pub(crate) fn with(self, tasks: Vec<Task>) -> Result<Run, Error> {
        let text = |text: String| (!text.is_empty()).then_some(text);
        let source = match text(self.version_id) {
            None => Source::Inline,
            Some(version) => Source::Version {
                pipeline_id: PipelineId::from_text(self.pipeline_id),
                version_id: PipelineVersionId::from_text(version),
                version_name: self.version_name,
            },
        };
        let home = Home::from_column(&self.namespace);
        Ok(Run {
            id: RunId::from_text(self.id),
            namespace: home
                .namespace()
                .cloned()
                .ok_or_else(|| domain::Error::internal("a run outside of namespaces"))?,
            experiment_id: ExperimentId::from_text(self.experiment_id),
            name: self.name,
            description: self.description,
            storage_state: columns::word("runs.storage_state", &self.storage_state, StorageState::parse)?,
            service_account: self.service_account,
            source,
            spec: self.spec,
            parameters: columns::value("runs.parameters", &self.parameters)?,
            pipeline_root: self.pipeline_root,
            created_at: Timestamp(self.created_at),
            scheduled_at: Timestamp(self.scheduled_at),
            finished_at: columns::moment(self.finished_at),
            state: columns::word("runs.state", &self.state, RuntimeState::parse)?,
            history: columns::value("runs.history", &self.history)?,
            error: text(self.error),
            recurring_run_id: self.recurring_run_id,
            created_by: self.created_by,
            terminated_by: text(self.terminated_by),
            tasks,
        })
    }
}

impl Store {
    /// Makes a run, PENDING, in an experiment of the grant's namespace.
    ///
    /// # Errors
    /// `NotFound` for the experiment.
    pub async fn create_run(&self, grant: &Grant<Create, Runs>, new: NewRun) -> Result<Run> {
        grant.covers_all()?;
        let now = self.clock.now();
        let (pipeline_id, version_id, version_name) = match new.source {
            Source::Inline => Default::default(),
            Source::Version { pipeline_id, version_id, version_name } => {
                (pipeline_id.to_string(), version_id.to_string(), version_name)
            }
        };
        let row = Row {
            id: RunId::fresh().to_string(),
            namespace: grant.namespace()?.to_string(),
            experiment_id: new.experiment_id.to_string(),
            name: new.name,
            description: new.description,
            storage_state: StorageState::Available.as_str().to_owned(),
            service_account: new.service_account,
            pipeline_id,
            version_id,
            version_name,
            spec: new.spec,
            parameters: columns::text(&new.parameters),
            pipeline_root: new.pipeline_root,
            created_at: now.0,
            scheduled_at: now.0,
            finished_at: 0,
            state: RuntimeState::Pending.as_str().to_owned(),
            history: columns::text(&[StateChange { at: now, state: RuntimeState::Pending, error: None }]),
            error: String::new(),
            recurring_run_id: String::new(),
            created_by: grant.who().user().to_owned(),
            terminated_by: String::new(),
        };
        let insert = row.clone();
        write!(self, |conn| {
            let experiment = experiments::table
                .filter(experiments::id.eq(&insert.experiment_id))
                .filter(experiments::namespace.eq(&insert.namespace));
            if diesel::update(experiment).set(experiments::last_run_at.eq(now.0)).execute(conn).await? == 0 {
                return Err(domain::Error::not_found(Kind::Experiment, &insert.experiment_id).into());
            }
            Ok(diesel::insert_into(runs::table).values((insert, runs::engine.eq(""))).execute(conn).await?)
        })?;
        Ok(row.with(Vec::new())?)
    }

    /// A run that the grant reaches, with its tasks.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn run(&self, grant: &Grant<Get, Runs>, id: &str) -> Result<Run> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let (row, tasks) = read!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            let tasks = task::of_run(conn, &home, &key).await?;
            Ok((row, tasks))
        })?;
        Ok(row.with(tasks)?)
    }

    /// One page of runs with their tasks.
    ///
    /// # Errors
    /// `InvalidArgument` for an order, a filter or a token that is not one.
    pub async fn runs(&self, grant: &Grant<List, Runs>, scope: RunScope, query: Query) -> Result<Page<Run>> {
        let list = match &scope {
            RunScope::Everything => "runs".to_owned(),
            RunScope::Experiment(id) => format!("runs of {id}"),
        };
        grant.covers_all()?;
        let plan = Plan::read(query, &list, grant.home(), &self.page_key)?;
        let (home, key) = (grant.home().as_column().to_owned(), self.page_key.clone());
        let (page, task_rows) = read!(self, |conn| {
            let all = || {
                let of_home = runs::table.filter(runs::namespace.eq(home.clone())).into_boxed();
                match &scope {
                    RunScope::Everything => of_home,
                    RunScope::Experiment(id) => of_home.filter(runs::experiment_id.eq(id.clone())),
                }
            };
            let page = page(conn, plan, &key, all).await?;
            let ids: Vec<&str> = page.items.iter().map(|row| row.id.as_str()).collect();
            let of_them = tasks::table.filter(tasks::namespace.eq(home.clone())).filter(tasks::run_id.eq_any(ids));
            let task_rows: Vec<task::Row> = of_them.order(tasks::id).select(task::Row::as_select()).load(conn).await?;
            Ok((page, task_rows))
        })?;
        let mut by_run: HashMap<String, Vec<Task>> = HashMap::new();
        for row in task_rows {
            by_run.entry(row.run_id.clone()).or_default().push(row.try_into()?);
        }
        Ok(page.try_map(|row| {
            let tasks = by_run.remove(&row.id).unwrap_or_default();
            row.with(tasks)
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

    /// Deletes a run with its tasks, whatever its state.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_run(&self, grant: &Grant<Delete, Runs>, id: &str) -> Result<()> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(write!(self, |conn| {
            find(conn, &home, &key).await?;
            let of_it = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::run_id.eq(key.clone()));
            diesel::delete(of_it).execute(conn).await?;
            diesel::delete(runs::table.find(key)).execute(conn).await?;
            Ok(())
        })?)
    }

    /// Asks for the end of a run: CANCELING, and by whom. The executor does the rest.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` if it has ended. Asking twice is fine.
    pub async fn terminate_run(&self, grant: &Grant<Terminate, Runs>, id: &str) -> Result<()> {
        grant.covers(Kind::Run, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let (by, now) = (grant.who().user().to_owned(), self.clock.now());
        Ok(write!(self, |conn| {
            let row = find(conn, &home, &key).await?;
            let state = columns::word("runs.state", &row.state, RuntimeState::parse)?;
            if state == RuntimeState::Canceling {
                return Ok(());
            }
            if state.is_final() {
                return Err(
                    domain::Error::invalid(format!("run {key} has ended as {state} and cannot be terminated")).into()
                );
            }
            let mut history: Vec<StateChange> = columns::value("runs.history", &row.history)?;
            history.push(StateChange { at: now, state: RuntimeState::Canceling, error: None });
            let changes = (
                runs::state.eq(RuntimeState::Canceling.as_str()),
                runs::terminated_by.eq(by),
                runs::history.eq(columns::text(&history)),
            );
            diesel::update(runs::table.find(key)).set(changes).execute(conn).await?;
            Ok(())
        })?)
    }
}

/// The run of that id in that home.
pub(crate) async fn find(conn: &mut Connection, home: &str, id: &str) -> Result<Row, Error> {
    let it = runs::table.filter(runs::id.eq(id)).filter(runs::namespace.eq(home));
    let row = it.select(Row::as_select()).first(conn).await.optional()?;
    Ok(row.ok_or_else(|| domain::Error::not_found(Kind::Run, id))?)
}

async fn set_storage(conn: &mut Connection, row: &Row, state: StorageState) -> Result<(), Error> {
    let change = runs::storage_state.eq(state.as_str());
    diesel::update(runs::table.find(&row.id)).set(change).execute(conn).await?;
    Ok(())
}
