//! How far recurring runs have come, for the scheduler: which are to be looked at, and what is decided of them.
//!
//! Whoever decides says on which revision of a schedule, and under which fence; where another one was faster, or leads by
//! now, nothing is written (`decisions`). A moment and the run that it makes are one transaction.
use crate::{
    Error, ListScope, Store,
    connect::{Connection, find, read, write},
    decisions::fired,
    recurring_runs as recurring,
    runs::{Admitted, Row as Run, admit},
    schema::{recurring_runs, runs, schedules},
    specs::Hashes,
    ticks,
};
use access::{Grant, Owner};
use api::access::{
    resource::{Jobs, Runs},
    verb::*,
};
use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    Code, Due, Fence, Home, Kind, Namespace, NewRun, RecurringRunId, Result, RunId, Schedule, Timestamp,
    list::{Page, Query},
};
use std::collections::{BTreeMap, HashMap};

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = schedules, check_for_backend(crate::any::AnyBackend))]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) namespace: String,
    pub(crate) next_at: i64,
    pub(crate) last_at: i64,
    pub(crate) fired: i64,
    pub(crate) waiting: bool,
    pub(crate) revision: i64,
}

impl Store {
    /// The schedules of all tenants but some that are to be looked at by a moment, the longest due first, `most` of them.
    ///
    /// # Errors
    /// Of the database; `Internal` if the grant is not for all tenants.
    pub async fn due_schedules(
        &self,
        grant: &Grant<List, Jobs>,
        by: Timestamp,
        but: &[Namespace],
        most: i64,
    ) -> Result<Vec<Due>> {
        grant.covers_all_tenants()?;
        let but: Vec<String> = but.iter().map(ToString::to_string).collect();
        let rows: Vec<(String, String, i64)> = read!(self, |conn| {
            let due = schedules::table.filter(schedules::next_at.gt(0)).filter(schedules::next_at.le(by.0));
            let due =
                due.filter(schedules::namespace.ne_all(but)).order((schedules::next_at, schedules::id)).limit(most);
            Ok(due.select((schedules::id, schedules::namespace, schedules::next_at)).load(conn).await?)
        })?;
        let due = |(id, home, next_at): (String, String, i64)| {
            let namespace = Home::from_column(&home).namespace()?.clone();
            Some(Due { id: RecurringRunId::from_text(id), namespace, next_at: Timestamp(next_at) })
        };
        Ok(rows.into_iter().filter_map(due).collect())
    }

    /// How schedules stand, each with whom it makes runs for: nobody, if it was enabled before that was recorded. Those that
    /// are gone are left out.
    ///
    /// # Errors
    /// Of the database; `Internal` if the grant is not for all tenants.
    pub async fn schedules_due(&self, grant: &Grant<Get, Jobs>, due: &[Due]) -> Result<Vec<(Schedule, Option<Owner>)>> {
        grant.covers_all_tenants()?;
        let specs = self.specs.clone();
        let ids: Vec<String> = due.iter().map(|due| due.id.to_string()).collect();
        let found: Vec<(Schedule, String)> = find!(self, |conn| {
            let them = schedules::table.inner_join(recurring_runs::table.on(recurring_runs::id.eq(schedules::id)));
            let columns = (Row::as_select(), recurring::Row::as_select(), active());
            let them = them.filter(schedules::id.eq_any(ids)).select(columns);
            let rows: Vec<(Row, recurring::Row, Option<i64>)> = them.load(conn).await?;
            let mut wanted = BTreeMap::<String, Hashes>::new();
            for (row, of, _) in &rows {
                wanted.entry(row.namespace.clone()).or_default().insert(of.spec_hash.clone());
            }
            let mut texts = BTreeMap::new();
            for (home, hashes) in wanted {
                let of_home = specs.read_all(conn, &home, hashes).await?;
                texts.insert(home, of_home);
            }
            let mut found = Vec::new();
            for (row, of, active) in rows {
                let text = texts.get(&row.namespace).and_then(|of_home| of_home.get(&of.spec_hash));
                let (owner, spec) = (of.owner.clone(), text.cloned().unwrap_or_default());
                found.push((row.with(of.with(&spec)?, active.unwrap_or_default()), owner));
            }
            Ok(found)
        })?;
        found.into_iter().map(|(schedule, owner)| Ok((schedule, recurring::owner_of(&owner)?))).collect()
    }

    /// One page of the schedules of a namespace, each with whom it makes runs for.
    ///
    /// # Errors
    /// `InvalidArgument` for an order, a filter or a token that is not one.
    pub async fn schedules(&self, grant: &Grant<List, Jobs>, query: Query) -> Result<Page<(Schedule, Option<Owner>)>> {
        let page = self.recurring_runs_in_short(grant, ListScope::Everything, query).await?;
        let items = self.standing_of(grant.home(), page.items).await?;
        Ok(Page { items, total: page.total, next: page.next })
    }

    /// The schedule of a recurring run that the grant reaches, and whom it makes runs for.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn schedule_of(&self, grant: &Grant<Get, Jobs>, id: &str) -> Result<(Schedule, Option<Owner>)> {
        let it = self.recurring_run(grant, id).await?;
        let found = self.standing_of(grant.home(), vec![it]).await?.pop();
        found.ok_or_else(|| domain::Error::not_found(Kind::RecurringRun, id))
    }

    /// Recurring runs with how they stand. Those that were deleted meanwhile are left out.
    async fn standing_of(&self, home: &Home, all: Vec<domain::RecurringRun>) -> Result<Vec<(Schedule, Option<Owner>)>> {
        let (home, ids) = (home.as_column().to_owned(), all.iter().map(|it| it.id.to_string()).collect::<Vec<_>>());
        let found: Vec<(Row, String, Option<i64>)> = read!(self, |conn| {
            let of_them = schedules::table.inner_join(recurring_runs::table.on(recurring_runs::id.eq(schedules::id)));
            let of_them = of_them.filter(schedules::namespace.eq(&home)).filter(schedules::id.eq_any(&ids));
            Ok(of_them.select((Row::as_select(), recurring_runs::owner, active())).load(conn).await?)
        })?;
        let mut found: HashMap<String, _> = found.into_iter().map(|found| (found.0.id.clone(), found)).collect();
        let standing = all.into_iter().filter_map(|it| {
            let (row, owner, active) = found.remove(it.id.as_str())?;
            Some(recurring::owner_of(&owner).map(|owner| (row.with(it, active.unwrap_or_default()), owner)))
        });
        standing.collect()
    }

    /// Makes a run that somebody has asked for, besides those of the schedule, which stays as it is.
    ///
    /// # Errors
    /// `Aborted` if the schedule is another one by now; `FailedPrecondition` if as many of its runs go on as may;
    /// `NotFound` for the experiment; `ResourceExhausted` if the namespace has as many runs as it may.
    pub async fn fire_now(
        &self,
        grant: &Grant<Create, Runs>,
        of: &Grant<Get, Jobs>,
        schedule: &Schedule,
        new: NewRun,
    ) -> Result<RunId> {
        let it = &schedule.recurring_run;
        of.covers(Kind::RecurringRun, it.id.as_str())?;
        let (home, now, revision, max) =
            (grant.namespace()?.to_string(), self.clock.now(), schedule.revision, it.max_concurrency);
        let (run, spec) = Run::new(new, grant.namespace()?, it.id.as_str(), grant.who().user(), now);
        let (limits, by, id) = (self.limits(grant.home()), grant.who().user().to_owned(), it.id.clone());
        Ok(write!(self, |conn| {
            let it = schedules::table.find(id.as_str()).filter(schedules::namespace.eq(&home));
            let it = it.filter(schedules::revision.eq(revision));
            let changes = (schedules::fired.eq(schedules::fired + 1), schedules::revision.eq(revision + 1));
            if diesel::update(it).set(changes).execute(conn).await? == 0 {
                let text = format!("recurring run {id} was changed at the same moment: try again");
                return Err(domain::Error::new(Code::Aborted, text).into());
            }
            let going_on: Option<i64> = schedules::table.find(id.as_str()).select(active()).first(conn).await?;
            let going_on = going_on.unwrap_or_default();
            if going_on >= max {
                let text = format!("recurring run {id} may have {max} runs at one time, and {going_on} go on");
                return Err(domain::Error::precondition(text).into());
            }
            let run_id = RunId::from_text(run.id.clone());
            let tick = fired(&id, now, &run_id, format!("asked for by {by}"), Fence::Alone, now);
            ticks::insert(conn, vec![(home, tick)]).await?;
            admit(conn, vec![Admitted { run, spec, limits }]).await?;
            Ok(run_id)
        })?)
    }

    /// Waits until this server has written something by which a schedule may be due sooner than it was.
    pub async fn schedules_change(&self) {
        self.schedules_changed.notified().await;
    }
}

impl Row {
    fn with(self, recurring_run: domain::RecurringRun, active: i64) -> Schedule {
        Schedule {
            recurring_run,
            next_at: crate::columns::moment(self.next_at),
            last_at: crate::columns::moment(self.last_at),
            fired: self.fired,
            active,
            waiting: self.waiting,
            revision: self.revision,
        }
    }
}

/// Before anything else that is due. No server's clock says when this is.
const AT_ONCE: Timestamp = Timestamp(1);

/// When to look at a schedule that was just enabled or disabled; 0 is never.
fn first_look(is_enabled: bool) -> Timestamp {
    if is_enabled { AT_ONCE } else { Timestamp::default() }
}

/// The schedule of a new recurring run, to be looked at at once if it is enabled.
pub(crate) async fn begin(conn: &mut Connection, id: &str, namespace: &str, is_enabled: bool) -> Result<(), Error> {
    let row = Row {
        id: id.to_owned(),
        namespace: namespace.to_owned(),
        next_at: first_look(is_enabled).0,
        last_at: 0,
        fired: 0,
        waiting: false,
        revision: 0,
    };
    diesel::insert_into(schedules::table).values(row).execute(conn).await?;
    Ok(())
}

/// Has schedules looked at at once that were enabled, and never those that were disabled.
pub(crate) async fn switch(conn: &mut Connection, ids: &[String], is_enabled: bool) -> Result<(), Error> {
    let changes = (
        schedules::next_at.eq(first_look(is_enabled).0),
        schedules::waiting.eq(false),
        schedules::revision.eq(schedules::revision + 1),
    );
    diesel::update(schedules::table.filter(schedules::id.eq_any(ids))).set(changes).execute(conn).await?;
    Ok(())
}

/// A recurring run is gone, and its schedule with it.
pub(crate) async fn end(conn: &mut Connection, id: &str) -> Result<(), Error> {
    diesel::delete(schedules::table.find(id)).execute(conn).await?;
    ticks::delete(conn, id).await
}

/// A run has ended, for which a moment of its recurring run may have waited. Says whether one has.
pub(crate) async fn run_has_ended(conn: &mut Connection, of: &str) -> Result<bool, Error> {
    if of.is_empty() {
        return Ok(false);
    }
    let waits = schedules::table.find(of).filter(schedules::waiting.eq(true));
    let changes = (schedules::next_at.eq(AT_ONCE.0), schedules::revision.eq(schedules::revision + 1));
    Ok(diesel::update(waits).set(changes).execute(conn).await? > 0)
}

/// How many runs of a schedule have not ended. At most 0 rather than 0: PostgreSQL knows an index of all that have not,
/// and would look through it for each schedule.
#[diesel::dsl::auto_type(no_type_alias)]
pub(crate) fn active() -> _ {
    let of_it = runs::namespace.eq(schedules::namespace).and(runs::recurring_run_id.eq(schedules::id));
    runs::table.filter(of_it.and(runs::finished_at.le(0_i64))).select(count_star()).single_value()
}
