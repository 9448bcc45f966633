//! Experiments.
use crate::{
    Error, Store, columns,
    connect::{Connection, look_up, read, write},
    counts::{Counted, What},
    page::{Plan, Weigh, keys},
    recurring_runs, runs,
    schema::experiments,
};
use access::Grant;
use api::access::{
    IsResource,
    resource::{Experiments, Jobs, Runs},
    verb::*,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    Code, Experiment, ExperimentId, Home, Kind, Namespace, NewExperiment, Result, StorageState, Timestamp,
    list::{Page, Query},
};

/// What is made in experiments, and so brings the default one about.
pub trait InExperiments: IsResource {}

impl InExperiments for Runs {}
impl InExperiments for Jobs {}

/// The name that KFP's clients give to the default experiment.
const DEFAULT: &str = "Default";

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = experiments, check_for_backend(crate::any::AnyBackend))]
struct Row {
    id: String,
    namespace: String,
    name: String,
    description: String,
    created_at: i64,
    last_run_at: i64,
    storage_state: String,
    created_by: String,
}

impl Weigh for Row {}

keys!(experiments, Row, {
    "id" | "experiment_id" => text id,
    "name" | "display_name" => text name,
    "description" => text description,
    "namespace" => text namespace,
    "created_at" => time created_at,
    "last_run_created_at" => time last_run_at,
    "created_by" => text created_by,
    "storage_state" => storage storage_state,
});

impl Row {
    fn new(home: &Home, created_by: &str, now: Timestamp, new: NewExperiment) -> Self {
        Row {
            id: ExperimentId::fresh().to_string(),
            namespace: home.as_column().to_owned(),
            name: new.name,
            description: new.description,
            created_at: now.0,
            last_run_at: 0,
            storage_state: StorageState::Available.as_str().to_owned(),
            created_by: created_by.to_owned(),
        }
    }
}

impl TryFrom<Row> for Experiment {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Experiment {
            id: ExperimentId::from_text(row.id),
            home: Home::from_column(&row.namespace),
            name: row.name,
            description: row.description,
            created_at: Timestamp(row.created_at),
            last_run_at: Timestamp(row.last_run_at),
            storage_state: columns::word("experiments.storage_state", &row.storage_state, StorageState::parse)?,
            created_by: row.created_by,
        })
    }
}

impl Store {
    /// Makes an experiment in the home of the grant.
    ///
    /// # Errors
    /// `AlreadyExists` if the name is taken there, by an archived one too.
    pub async fn create_experiment(
        &self,
        grant: &Grant<Create, Experiments>,
        new: NewExperiment,
    ) -> Result<Experiment> {
        grant.covers_all()?;
        let name = new.name.clone();
        let made = Row::new(grant.home(), grant.who().user(), self.clock.now(), new);
        let new = made.clone();
        let done = write!(self, |conn| insert(conn, new).await);
        match done {
            Ok(_) => Ok(made.try_into()?),
            Err(error) if error.is_taken() => {
                Err(domain::Error::exists(format!("an experiment named {:?} exists already in this namespace", name)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// An experiment that the grant reaches.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn experiment(&self, grant: &Grant<Get, Experiments>, id: &str) -> Result<Experiment> {
        grant.covers(Kind::Experiment, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let row = look_up!(self, |conn| {
            let query = experiments::table.filter(experiments::id.eq(key)).filter(experiments::namespace.eq(home));
            Ok(query.select(Row::as_select()).first(conn).await.optional()?)
        })?;
        Ok(row.ok_or_else(|| domain::Error::not_found(Kind::Experiment, id))?.try_into()?)
    }

    /// The experiment of runs and recurring runs that name none, in single-user mode. It is made when it is first
    /// needed.
    ///
    /// # Errors
    /// Of the database.
    pub async fn default_experiment<T: InExperiments>(&self, grant: &Grant<Create, T>) -> Result<ExperimentId> {
        let description = "Runs that name no experiment".to_owned();
        let new = NewExperiment { name: DEFAULT.to_owned(), description };
        let fresh = Row::new(grant.home(), grant.who().user(), self.clock.now(), new);
        let home = fresh.namespace.clone();
        let id: String = write!(self, |conn| {
            let it = experiments::table.filter(experiments::namespace.eq(home)).filter(experiments::name.eq(DEFAULT));
            let there: Option<String> = it.select(experiments::id).first(conn).await.optional()?;
            if let Some(there) = there {
                return Ok(there);
            }
            let id = fresh.id.clone();
            insert(conn, fresh).await.map_err(Error::after_looking)?;
            Ok(id)
        })?;
        Ok(ExperimentId::from_text(id))
    }

    /// One page of the experiments in the home of the grant.
    ///
    /// # Errors
    /// `InvalidArgument` for an order, a filter or a token that is not one.
    pub async fn experiments(&self, grant: &Grant<List, Experiments>, query: Query) -> Result<Page<Experiment>> {
        grant.covers_all()?;
        let plan = Plan::read(query, "experiments", grant.home(), &self.page_key)?;
        let (home, key) = (grant.home().as_column().to_owned(), self.page_key.clone());
        let page = read!(self, |conn| {
            let all = || experiments::table.filter(experiments::namespace.eq(home.clone())).into_boxed();
            page(conn, plan, &key, Some(Counted::all(What::Experiments, &home)), all).await
        })?;
        Ok(page.try_map(TryInto::try_into)?)
    }

    /// Archives an experiment and all its runs, and disables its recurring runs.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn archive_experiment(&self, grant: &Grant<Archive, Experiments>, id: &str) -> Result<()> {
        grant.covers(Kind::Experiment, id)?;
        let (home, id, now) = (grant.home().as_column().to_owned(), id.to_owned(), self.clock.now());
        Ok(write!(self, |conn| {
            set_state(conn, &home, &id, StorageState::Archived).await?;
            recurring_runs::disable_all(conn, &home, &id, now).await?;
            runs::archive_all(conn, &home, &id).await
        })?)
    }

    /// Brings an experiment back. Its runs stay archived, and its recurring runs disabled.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn unarchive_experiment(&self, grant: &Grant<Unarchive, Experiments>, id: &str) -> Result<()> {
        grant.covers(Kind::Experiment, id)?;
        let (home, id) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(write!(self, |conn| { set_state(conn, &home, &id, StorageState::Available).await })?)
    }

    /// Deletes an experiment. Its runs and recurring runs stay.
    ///
    /// # Errors
    /// `NotFound`; `Aborted` for the default experiment of single-user mode, which clients rely on.
    pub async fn delete_experiment(&self, grant: &Grant<Delete, Experiments>, id: &str) -> Result<()> {
        grant.covers(Kind::Experiment, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(write!(self, |conn| {
            let it = || experiments::table.filter(experiments::id.eq(&key)).filter(experiments::namespace.eq(&home));
            let columns = (experiments::name, experiments::storage_state);
            let found: Option<(String, String)> = it().select(columns).first(conn).await.optional()?;
            let (name, state) = found.ok_or_else(|| domain::Error::not_found(Kind::Experiment, &key))?;
            if home == Namespace::single_user().as_str() && name == DEFAULT {
                let text = format!("experiment {key} is the default one, which cannot be deleted");
                return Err(domain::Error::new(Code::Aborted, text).into());
            }
            diesel::delete(it()).execute(conn).await?;
            Counted::all(What::Experiments, &home).add(conn, &state, -1).await
        })?)
    }
}

async fn insert(conn: &mut Connection, row: Row) -> Result<(), Error> {
    let (counted, state) = (Counted::all(What::Experiments, &row.namespace), row.storage_state.clone());
    diesel::insert_into(experiments::table).values(row).execute(conn).await?;
    counted.add(conn, &state, 1).await
}

async fn set_state(conn: &mut Connection, home: &str, id: &str, state: StorageState) -> Result<(), Error> {
    let it = || experiments::table.filter(experiments::id.eq(id)).filter(experiments::namespace.eq(home));
    let before: Option<String> = it().select(experiments::storage_state).first(conn).await.optional()?;
    let before = before.ok_or_else(|| domain::Error::not_found(Kind::Experiment, id))?;
    if before == state.as_str() {
        return Ok(());
    }
    diesel::update(it()).set(experiments::storage_state.eq(state.as_str())).execute(conn).await?;
    let counted = Counted::all(What::Experiments, home);
    counted.add(conn, &before, -1).await?;
    counted.add(conn, state.as_str(), 1).await
}
