//! Recurring runs.
mod row;

use crate::{
    Error, ListScope, Store,
    connect::{Connection, read, write},
    counts::{Counted, What},
    page::{Plan, Weigh, Weights, keys},
    quotas::Quota,
    schedules,
    schema::{experiments, recurring_runs},
    specs::{self, Wanted},
};
use access::{Grant, Owner};
use api::access::{resource::Jobs, verb::*};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    Home, Kind, NewRecurringRun, RecurringRun, Result, Timestamp,
    list::{Page, Query},
};
use futures::future::BoxFuture;

pub(crate) use row::Row;

impl Weigh for Row {
    fn bytes(&self) -> usize {
        self.parameters.len()
    }

    fn besides<'a>(
        conn: &'a mut Connection,
        rows: &'a [Self],
        wanted: Wanted,
    ) -> BoxFuture<'a, Result<Weights, Error>> {
        Box::pin(async move {
            let Some(home) = rows.first().map(|row| &row.namespace) else { return Ok(Weights::new()) };
            let with = rows.iter().filter(|row| row.comes_with_spec(wanted));
            let with: Vec<_> = with.map(|row| (row.id.as_str(), row.spec_hash.as_str())).collect();
            specs::weights(conn, home, &with).await
        })
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

impl Store {
    /// Makes a recurring run in an experiment of the grant's namespace.
    ///
    /// # Errors
    /// `NotFound` for the experiment; `ResourceExhausted` if the namespace has as many as it may.
    pub async fn create_recurring_run(
        &self,
        grant: &Grant<Create, Jobs>,
        new: NewRecurringRun,
    ) -> Result<RecurringRun> {
        grant.covers_all()?;
        let now = self.clock.now();
        let (row, spec) = Row::new(new, grant.namespace()?.as_str(), &grant.owner(now), now);
        let (insert, text, limits) = (row.clone(), spec.clone(), self.limits(grant.home()));
        write!(self, |conn| {
            let experiment = experiments::table
                .filter(experiments::id.eq(&insert.experiment_id))
                .filter(experiments::namespace.eq(&insert.namespace));
            if experiment.count().get_result::<i64>(conn).await? == 0 {
                return Err(domain::Error::not_found(Kind::Experiment, &insert.experiment_id).into());
            }
            limits.admit(conn, &insert.namespace, Quota::RecurringRuns, 1).await?;
            specs::keep(conn, &insert.namespace, &insert.spec_hash, &text).await?;
            let counted = Counted::of(What::RecurringRuns, &insert.namespace, &insert.experiment_id);
            schedules::begin(conn, &insert.id, &insert.namespace, insert.enabled).await?;
            diesel::insert_into(recurring_runs::table).values(insert).execute(conn).await?;
            counted.add(conn, "", 1).await
        })?;
        self.schedules_changed.notify_one();
        Ok(row.with(&spec)?)
    }

    /// A recurring run that the grant reaches.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn recurring_run(&self, grant: &Grant<Get, Jobs>, id: &str) -> Result<RecurringRun> {
        grant.covers(Kind::RecurringRun, id)?;
        self.find_recurring_run(grant.home(), id).await
    }

    /// A recurring run that is to make runs, for whoever has to judge it first.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn recurring_run_to_enable(&self, grant: &Grant<Enable, Jobs>, id: &str) -> Result<RecurringRun> {
        grant.covers(Kind::RecurringRun, id)?;
        self.find_recurring_run(grant.home(), id).await
    }

    async fn find_recurring_run(&self, home: &Home, id: &str) -> Result<RecurringRun> {
        let (home, key) = (home.as_column().to_owned(), id.to_owned());
        let specs = self.specs.clone();
        Ok(read!(self, |conn| {
            let it = recurring_runs::table.filter(recurring_runs::id.eq(&key));
            let it = it.filter(recurring_runs::namespace.eq(&home)).select(Row::as_select());
            let row: Option<Row> = it.first(conn).await.optional()?;
            let row = row.ok_or_else(|| domain::Error::not_found(Kind::RecurringRun, &key))?;
            let spec = specs.read(conn, &home, &row.spec_hash).await?;
            row.with(&spec)
        })?)
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
        self.list_recurring_runs(grant, scope, query, Wanted::All).await
    }

    /// The same, but the definition of a recurring run that names a version is empty.
    ///
    /// # Errors
    /// As [`Store::recurring_runs`].
    pub async fn recurring_runs_in_short(
        &self,
        grant: &Grant<List, Jobs>,
        scope: ListScope,
        query: Query,
    ) -> Result<Page<RecurringRun>> {
        self.list_recurring_runs(grant, scope, query, Wanted::Own).await
    }

    async fn list_recurring_runs(
        &self,
        grant: &Grant<List, Jobs>,
        scope: ListScope,
        query: Query,
        wanted: Wanted,
    ) -> Result<Page<RecurringRun>> {
        let list = scope.name("recurring runs");
        grant.covers_all()?;
        let plan = Plan::read(query, &list, grant.home(), &self.page_key)?.with(wanted);
        let (home, key, specs) = (grant.home().as_column().to_owned(), self.page_key.clone(), self.specs.clone());
        let (page, texts) = read!(self, |conn| {
            let all = || {
                let of_home = recurring_runs::table.filter(recurring_runs::namespace.eq(home.clone())).into_boxed();
                match &scope {
                    ListScope::Everything => of_home,
                    ListScope::Experiment(id) => of_home.filter(recurring_runs::experiment_id.eq(id.clone())),
                }
            };
            let page = page(conn, plan, &key, Some(scope.counted(What::RecurringRuns, &home)), all).await?;
            let with = page.items.iter().filter(|row| row.comes_with_spec(wanted));
            let hashes = with.map(|row| row.spec_hash.clone()).collect();
            let texts = specs.read_all(conn, &home, hashes).await?;
            Ok((page, texts))
        })?;
        Ok(page.try_map(|row| {
            let spec = texts.get(&row.spec_hash).filter(|_| row.comes_with_spec(wanted)).cloned().unwrap_or_default();
            row.with(&spec)
        })?)
    }

    /// Lets a recurring run make runs, from now on for whoever holds the grant. To ask again changes nothing but for whom.
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
        write!(self, |conn| {
            let it = || {
                let of_home = recurring_runs::table.filter(recurring_runs::namespace.eq(&home));
                of_home.filter(recurring_runs::id.eq(&key))
            };
            let enabled = owner.is_some();
            let changes = (recurring_runs::enabled.eq(enabled), recurring_runs::updated_at.eq(now.0));
            let other = it().filter(recurring_runs::enabled.ne(enabled));
            let changed = diesel::update(other).set(changes).execute(conn).await? > 0;
            if !changed && it().count().get_result::<i64>(conn).await? == 0 {
                return Err(domain::Error::not_found(Kind::RecurringRun, &key).into());
            }
            if let Some(owner) = &owner {
                let changes = (recurring_runs::owner.eq(owner.to_row()), recurring_runs::fault.eq(""));
                diesel::update(it()).set(changes).execute(conn).await?;
            }
            match changed || enabled {
                true => schedules::switch(conn, &[key], enabled).await,
                false => Ok(()),
            }
        })?;
        self.schedules_changed.notify_one();
        Ok(())
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
        owner_of(&owner)
    }

    /// Deletes a recurring run. The runs that it has made stay.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_recurring_run(&self, grant: &Grant<Delete, Jobs>, id: &str) -> Result<()> {
        grant.covers(Kind::RecurringRun, id)?;
        let (home, key) = (grant.home().as_column().to_owned(), id.to_owned());
        Ok(write!(self, |conn| {
            let it = recurring_runs::table.filter(recurring_runs::id.eq(&key));
            let it = it.filter(recurring_runs::namespace.eq(&home));
            let it = it.select((recurring_runs::experiment_id, recurring_runs::spec_hash));
            let found: Option<(String, String)> = it.first(conn).await.optional()?;
            let (experiment, hash) = found.ok_or_else(|| domain::Error::not_found(Kind::RecurringRun, &key))?;
            diesel::delete(recurring_runs::table.find(&key)).execute(conn).await?;
            schedules::end(conn, &key).await?;
            specs::let_go(conn, &home, &hash).await?;
            Counted::of(What::RecurringRuns, &home, &experiment).add(conn, "", -1).await
        })?)
    }
}

/// Whom a row acts for; nobody, in those that are older than the column.
pub(crate) fn owner_of(text: &str) -> Result<Option<Owner>> {
    (!text.is_empty()).then(|| Owner::from_row(text)).transpose()
}

/// Disables all recurring runs of an experiment, which is being archived.
pub(crate) async fn disable_all(
    conn: &mut Connection,
    home: &str,
    experiment_id: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let of_it = || {
        let of_home = recurring_runs::table.filter(recurring_runs::namespace.eq(home));
        of_home.filter(recurring_runs::experiment_id.eq(experiment_id)).filter(recurring_runs::enabled.eq(true))
    };
    let ids: Vec<String> = of_it().select(recurring_runs::id).load(conn).await?;
    let changes = (recurring_runs::enabled.eq(false), recurring_runs::updated_at.eq(now.0));
    diesel::update(of_it()).set(changes).execute(conn).await?;
    schedules::switch(conn, &ids, false).await
}
