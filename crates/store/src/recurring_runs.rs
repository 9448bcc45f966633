//! Recurring runs.
use crate::{
    Error, ListScope, Store, columns,
    connect::{Connection, read, write},
    page::{Plan, Weigh, keys},
    schema::{experiments, recurring_runs},
};
use access::{Grant, Owner};
use api::access::{resource::Jobs, verb::*};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    Executes, ExperimentId, Home, Kind, NewRecurringRun, PipelineId, PipelineVersionId, RecurringRun, RecurringRunId,
    Result, Source, Timestamp, Trigger,
    list::{Page, Query},
};

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = recurring_runs, check_for_backend(crate::any::AnyBackend))]
struct Row {
    id: String,
    namespace: String,
    experiment_id: String,
    name: String,
    description: String,
    service_account: String,
    pipeline_id: String,
    version_id: String,
    version_name: String,
    spec: String,
    parameters: String,
    pipeline_root: String,
    cron: String,
    interval_seconds: i64,
    starts_at: i64,
    ends_at: i64,
    max_concurrency: i64,
    catchup: bool,
    enabled: bool,
    created_at: i64,
    updated_at: i64,
    created_by: String,
    owner: String,
}

impl Weigh for Row {
    fn bytes(&self) -> usize {
        self.spec.len() + self.parameters.len()
    }
}

keys!(recurring_runs, Row, {
    "id" | "recurring_run_id" => text id,
    "name" | "display_name" => text name,
    "description" => text description,
    "namespace" => text namespace,
    "experiment_id" => text experiment_id,
    "created_at" => time created_at,
    "updated_at" => time updated_at,
    "created_by" => text created_by,
});

impl Row {
    fn new(new: NewRecurringRun, namespace: &str, owner: &Owner, now: Timestamp) -> Self {
        let text = |id: &dyn ToString| id.to_string();
        let (pipeline_id, version_id, version_name, spec) = match new.executes {
            Executes::Latest(pipeline_id) => (text(&pipeline_id), String::new(), String::new(), String::new()),
            Executes::Pinned { source: Source::Inline, spec } => (String::new(), String::new(), String::new(), spec),
            Executes::Pinned { source: Source::Version { pipeline_id, version_id, version_name }, spec } => {
                (text(&pipeline_id), text(&version_id), version_name, spec)
            }
        };
        let (cron, interval_seconds, start, end) = match new.trigger {
            Trigger::Once => (String::new(), 0, None, None),
            Trigger::Cron { cron, start, end } => (cron, 0, start, end),
            Trigger::Periodic { interval_seconds, start, end } => (String::new(), interval_seconds, start, end),
        };
        Row {
            id: RecurringRunId::fresh().to_string(),
            namespace: namespace.to_owned(),
            experiment_id: new.experiment_id.to_string(),
            name: new.name,
            description: new.description,
            service_account: new.service_account,
            pipeline_id,
            version_id,
            version_name,
            spec,
            parameters: columns::text(&new.parameters),
            pipeline_root: new.pipeline_root,
            cron,
            interval_seconds,
            starts_at: start.unwrap_or_default().0,
            ends_at: end.unwrap_or_default().0,
            max_concurrency: new.max_concurrency,
            catchup: new.catchup,
            enabled: new.enabled,
            created_at: now.0,
            updated_at: now.0,
            created_by: owner.user().to_owned(),
            owner: owner.to_row(),
        }
    }
}

impl TryFrom<Row> for RecurringRun {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let pipeline_id = PipelineId::from_text(row.pipeline_id);
        let executes = match (row.version_id.is_empty(), row.spec.is_empty()) {
            (true, true) => Executes::Latest(pipeline_id),
            (true, false) => Executes::Pinned { source: Source::Inline, spec: row.spec },
            (false, _) => {
                let version_id = PipelineVersionId::from_text(row.version_id);
                let source = Source::Version { pipeline_id, version_id, version_name: row.version_name };
                Executes::Pinned { source, spec: row.spec }
            }
        };
        let (start, end) = (columns::moment(row.starts_at), columns::moment(row.ends_at));
        let trigger = match row.interval_seconds {
            0 if row.cron.is_empty() => Trigger::Once,
            0 => Trigger::Cron { cron: row.cron, start, end },
            interval_seconds => Trigger::Periodic { interval_seconds, start, end },
        };
        let home = Home::from_column(&row.namespace);
        Ok(RecurringRun {
            id: RecurringRunId::from_text(row.id),
            namespace: home
                .namespace()
                .cloned()
                .ok_or_else(|| domain::Error::internal("a recurring run outside of namespaces"))?,
            experiment_id: ExperimentId::from_text(row.experiment_id),
            name: row.name,
            description: row.description,
            service_account: row.service_account,
            executes,
            parameters: columns::value("recurring_runs.parameters", &row.parameters)?,
            pipeline_root: row.pipeline_root,
            trigger,
            max_concurrency: row.max_concurrency,
            catchup: row.catchup,
            enabled: row.enabled,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            created_by: row.created_by,
        })
    }
}

impl Store {
    /// Makes a recurring run in an experiment of the grant's namespace.
    ///
    /// # Errors
    /// `NotFound` for the experiment.
    pub async fn create_recurring_run(
        &self,
        grant: &Grant<Create, Jobs>,
        new: NewRecurringRun,
    ) -> Result<RecurringRun> {
        grant.covers_all()?;
        let now = self.clock.now();
        let row = Row::new(new, grant.namespace()?.as_str(), &grant.owner(now), now);
        let insert = row.clone();
        write!(self, |conn| {
            let experiment = experiments::table
                .filter(experiments::id.eq(&insert.experiment_id))
                .filter(experiments::namespace.eq(&insert.namespace));
            if experiment.count().get_result::<i64>(conn).await? == 0 {
                return Err(domain::Error::not_found(Kind::Experiment, &insert.experiment_id).into());
            }
            Ok(diesel::insert_into(recurring_runs::table).values(insert).execute(conn).await?)
        })?;
        Ok(row.try_into()?)
    }

    /// A recurring run that the grant reaches.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn recurring_run(&self, grant: &Grant<Get, Jobs>, id: &str) -> Result<RecurringRun> {
        grant.covers(Kind::RecurringRun, id)?;
        self.find_recurring_run(grant.home(), id).await
    }

    /// What a recurring run executes that is to make runs, for whoever has to judge it first.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn executes_when_enabled(&self, grant: &Grant<Enable, Jobs>, id: &str) -> Result<Executes> {
        grant.covers(Kind::RecurringRun, id)?;
        Ok(self.find_recurring_run(grant.home(), id).await?.executes)
    }

    async fn find_recurring_run(&self, home: &Home, id: &str) -> Result<RecurringRun> {
        let (home, key) = (home.as_column().to_owned(), id.to_owned());
        let row: Option<Row> = read!(self, |conn| {
            let it =
                recurring_runs::table.filter(recurring_runs::id.eq(key)).filter(recurring_runs::namespace.eq(home));
            Ok(it.select(Row::as_select()).first(conn).await.optional()?)
        })?;
        Ok(row.ok_or_else(|| domain::Error::not_found(Kind::RecurringRun, id))?.try_into()?)
    }

    /// One page of recurring runs.
    ///
    /// # Errors
    /// `InvalidArgument` for an order, a filter or a token that is not one.
    pub async fn recurring_runs(
        &self,
        grant: &Grant<List, Jobs>,
        scope: ListScope,
        query: Query,
    ) -> Result<Page<RecurringRun>> {
        let list = match &scope {
            ListScope::Everything => "recurring runs".to_owned(),
            ListScope::Experiment(id) => format!("recurring runs of {id}"),
        };
        grant.covers_all()?;
        let plan = Plan::read(query, &list, grant.home(), &self.page_key)?;
        let (home, key) = (grant.home().as_column().to_owned(), self.page_key.clone());
        let page = read!(self, |conn| {
            let all = || {
                let of_home = recurring_runs::table.filter(recurring_runs::namespace.eq(home.clone())).into_boxed();
                match &scope {
                    ListScope::Everything => of_home,
                    ListScope::Experiment(id) => of_home.filter(recurring_runs::experiment_id.eq(id.clone())),
                }
            };
            page(conn, plan, &key, all).await
        })?;
        Ok(page.try_map(TryInto::try_into)?)
    }

    /// Lets a recurring run make runs, from now on for whoever holds the grant. To ask again changes nothing.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn enable_recurring_run(&self, grant: &Grant<Enable, Jobs>, id: &str) -> Result<()> {
        grant.covers(Kind::RecurringRun, id)?;
        self.switch(grant.home(), id, Some(grant.owner(self.clock.now()))).await
    }

    /// Stops a recurring run from making runs; those that it has made go on. To ask again changes nothing.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn disable_recurring_run(&self, grant: &Grant<Disable, Jobs>, id: &str) -> Result<()> {
        grant.covers(Kind::RecurringRun, id)?;
        self.switch(grant.home(), id, None).await
    }

    /// Enables it for its new owner, or disables it.
    async fn switch(&self, home: &Home, id: &str, owner: Option<Owner>) -> Result<()> {
        let (home, key, now) = (home.as_column().to_owned(), id.to_owned(), self.clock.now());
        Ok(write!(self, |conn| {
            let it = || {
                let of_home = recurring_runs::table.filter(recurring_runs::namespace.eq(&home));
                of_home.filter(recurring_runs::id.eq(&key))
            };
            let enabled = owner.is_some();
            let changes = (
                recurring_runs::enabled.eq(enabled),
                recurring_runs::updated_at.eq(now.0),
                owner.map(|owner| recurring_runs::owner.eq(owner.to_row())),
            );
            // One from before owners were recorded has none although it is enabled.
            let other = it().filter(recurring_runs::enabled.ne(enabled).or(recurring_runs::owner.eq("")));
            if diesel::update(other).set(changes).execute(conn).await? == 0
                && it().count().get_result::<i64>(conn).await? == 0
            {
                return Err(domain::Error::not_found(Kind::RecurringRun, &key).into());
            }
            Ok(())
        })?)
    }

    /// For whom a recurring run makes runs. `None` for one that was enabled before that was recorded.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn recurring_run_owner(&self, grant: &Grant<Get, Jobs>, id: &str) -> Result<Option<Owner>> {
        grant.covers(Kind::RecurringRun, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        let owner: Option<String> = read!(self, |conn| {
            let it = recurring_runs::table.filter(recurring_runs::id.eq(key));
            let it = it.filter(recurring_runs::namespace.eq(home)).select(recurring_runs::owner);
            Ok(it.first(conn).await.optional()?)
        })?;
        let owner = owner.ok_or_else(|| domain::Error::not_found(Kind::RecurringRun, id))?;
        (!owner.is_empty()).then(|| Owner::from_row(&owner)).transpose()
    }

    /// Deletes a recurring run. The runs that it has made stay.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_recurring_run(&self, grant: &Grant<Delete, Jobs>, id: &str) -> Result<()> {
        grant.covers(Kind::RecurringRun, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(write!(self, |conn| {
            let it =
                recurring_runs::table.filter(recurring_runs::id.eq(&key)).filter(recurring_runs::namespace.eq(home));
            if diesel::delete(it).execute(conn).await? == 0 {
                return Err(domain::Error::not_found(Kind::RecurringRun, &key).into());
            }
            Ok(())
        })?)
    }
}

/// Disables all recurring runs of an experiment, which is being archived.
pub(crate) async fn disable_all(
    conn: &mut Connection,
    home: &str,
    experiment_id: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let of_it = recurring_runs::table
        .filter(recurring_runs::namespace.eq(home))
        .filter(recurring_runs::experiment_id.eq(experiment_id))
        .filter(recurring_runs::enabled.eq(true));
    let changes = (recurring_runs::enabled.eq(false), recurring_runs::updated_at.eq(now.0));
    diesel::update(of_it).set(changes).execute(conn).await?;
    Ok(())
}
