//! How far recurring runs have come, for the scheduler: which are to be looked at, and what is decided of them.
//!
//! Whoever decides says on which revision of a schedule, and under which fence; where another one was faster, or leads by
//! now, nothing is written. A moment and the run that it makes are one transaction.
use crate::{
    Error, ListScope, Store,
    connect::{Access, Connection, find, read, write},
    leases, recurring_runs as recurring,
    runs::{Row as Run, admit},
    schema::{recurring_runs, runs, schedules},
    ticks,
};
use access::{Grant, Owner};
use api::access::{
    resource::{Jobs, Runs},
    verb::*,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    Code, Due, Fence, Fired, Firing, Home, Kind, Namespace, NewRun, Outcome, RecurringRunId, Result, RunId, Schedule,
    Settled, Tick, Timestamp,
    list::{Page, Query},
};
use std::collections::HashMap;
use tokio::sync::MutexGuard;

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = schedules, check_for_backend(crate::any::AnyBackend))]
struct Row {
    id: String,
    namespace: String,
    next_at: i64,
    last_at: i64,
    fired: i64,
    waiting: bool,
    revision: i64,
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
        for_all(grant.home())?;
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

    /// How a schedule stands, with whom it makes runs for: nobody, if it was enabled before that was recorded. `None` if
    /// it is gone.
    ///
    /// # Errors
    /// Of the database; `Internal` if the grant is not for all tenants.
    pub async fn schedule(&self, grant: &Grant<Get, Jobs>, due: &Due) -> Result<Option<(Schedule, Option<Owner>)>> {
        for_all(grant.home())?;
        let (home, key, specs) = (due.namespace.to_string(), due.id.to_string(), self.specs.clone());
        let found = find!(self, |conn| {
            let it = schedules::table.inner_join(recurring_runs::table.on(recurring_runs::id.eq(schedules::id)));
            let it = it.filter(schedules::id.eq(&key)).filter(recurring_runs::namespace.eq(&home));
            let it = it.select((Row::as_select(), recurring::Row::as_select()));
            let found: Option<(Row, recurring::Row)> = it.first(conn).await.optional()?;
            let Some((row, of)) = found else { return Ok(None) };
            let spec = specs.read(conn, &home, &of.spec_hash).await?;
            let (owner, active) = (of.owner.clone(), active(conn, &home, &key).await?);
            Ok(Some((row.with(of.with(&spec)?, active), owner)))
        })?;
        let Some((schedule, owner)) = found else { return Ok(None) };
        Ok(Some((schedule, recurring::owner_of(&owner)?)))
    }

    /// Has a schedule looked at later that is still to be looked at when it was, whatever else it is like.
    ///
    /// # Errors
    /// Of the database; `Internal` if the grant is not for all tenants.
    pub async fn postpone_schedule(&self, grant: &Grant<Update, Jobs>, due: &Due, until: Timestamp) -> Result<()> {
        for_all(grant.home())?;
        let (key, seen) = (due.id.to_string(), due.next_at.0);
        Ok(write!(self, |conn| {
            let it = schedules::table.find(key).filter(schedules::next_at.eq(seen));
            diesel::update(it).set(schedules::next_at.eq(until.0)).execute(conn).await?;
            Ok(())
        })?)
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
        let found: Vec<(Row, String, i64)> = read!(self, |conn| {
            let of_them = schedules::table.inner_join(recurring_runs::table.on(recurring_runs::id.eq(schedules::id)));
            let of_them = of_them
                .filter(schedules::namespace.eq(&home))
                .filter(schedules::id.eq_any(&ids))
                .select((Row::as_select(), recurring_runs::owner));
            let mut found = Vec::with_capacity(ids.len());
            for (row, owner) in of_them.load::<(Row, String)>(conn).await? {
                let active = active(conn, &home, &row.id).await?;
                found.push((row, owner, active));
            }
            Ok(found)
        })?;
        let mut found: HashMap<String, _> = found.into_iter().map(|found| (found.0.id.clone(), found)).collect();
        let standing = all.into_iter().filter_map(|it| {
            let (row, owner, active) = found.remove(it.id.as_str())?;
            Some(recurring::owner_of(&owner).map(|owner| (row.with(it, active), owner)))
        });
        standing.collect()
    }

    /// Writes a decision by which no run is made. It is false if the schedule is another one by now.
    ///
    /// # Errors
    /// `Aborted` if another server leads; `Internal` if the grant is not for all tenants.
    pub async fn settle_schedule(&self, grant: &Grant<Update, Jobs>, settled: Settled) -> Result<bool> {
        for_all(grant.home())?;
        let (now, _turn) = (self.clock.now(), self.turn_to_decide().await);
        Ok(write!(self, |conn| {
            let Some((row, max_concurrency, before)) = as_decided(conn, &settled.id, settled.revision).await? else {
                return Ok(false);
            };
            if settled.waiting && active(conn, &row.namespace, &row.id).await? < max_concurrency {
                return Ok(false);
            }
            let mut last_at = row.last_at;
            if let Some(passed) = settled.passed {
                last_at = passed.until.0;
                ticks::insert(conn, &row.namespace, passed.tick(&settled.id, settled.fence, now)).await?;
            }
            let changes = (
                schedules::next_at.eq(settled.next_at.unwrap_or_default().0),
                schedules::last_at.eq(last_at),
                schedules::waiting.eq(settled.waiting),
                schedules::revision.eq(row.revision + 1),
            );
            diesel::update(schedules::table.find(&row.id)).set(changes).execute(conn).await?;
            let fault = settled.fault.as_ref().map(crate::columns::text).unwrap_or_default();
            if fault != before {
                let it = recurring_runs::table.find(&row.id);
                diesel::update(it).set(recurring_runs::fault.eq(&fault)).execute(conn).await?;
            }
            leases::hold(conn, settled.fence).await?;
            Ok(true)
        })?)
    }

    /// Makes the run of a moment, for whoever holds the grants.
    ///
    /// # Errors
    /// `Aborted` if another server leads; `NotFound` for the experiment; `ResourceExhausted` if the namespace has as many
    /// runs as it may.
    pub async fn fire(
        &self,
        grant: &Grant<Create, Runs>,
        of: &Grant<Get, Jobs>,
        firing: Firing,
        new: NewRun,
    ) -> Result<Fired> {
        let id = firing.id.clone();
        of.covers(Kind::RecurringRun, id.as_str())?;
        if of.home() != grant.home() {
            return Err(domain::Error::not_found(Kind::RecurringRun, id.as_str()));
        }
        let (home, now) = (grant.namespace()?.to_string(), self.clock.now());
        let (run, spec) = Run::new(new, grant.namespace()?, id.as_str(), grant.who().user(), now);
        let run = Run { scheduled_at: firing.at.0, ..run };
        let (limits, _turn) = (self.limits(grant.home()), self.turn_to_decide().await);
        Ok(write!(self, |conn| {
            let decided = as_decided(conn, &id, firing.revision).await?;
            let Some((row, max_concurrency, fault)) = decided.filter(|(row, ..)| row.namespace == home) else {
                return Ok(Fired::Overtaken);
            };
            if active(conn, &home, &row.id).await? >= max_concurrency {
                return Ok(Fired::Full);
            }
            if let Some(passed) = firing.passed {
                ticks::insert(conn, &home, passed.tick(&id, firing.fence, now)).await?;
            }
            let run_id = RunId::from_text(run.id.clone());
            let tick = fired(&id, firing.at, &run_id, String::new(), firing.fence, now);
            ticks::insert(conn, &home, tick).await?;
            let changes = (
                schedules::next_at.eq(firing.next_at.unwrap_or_default().0),
                schedules::last_at.eq(firing.at.0),
                schedules::fired.eq(row.fired + 1),
                schedules::waiting.eq(false),
                schedules::revision.eq(row.revision + 1),
            );
            diesel::update(schedules::table.find(&row.id)).set(changes).execute(conn).await?;
            if !fault.is_empty() {
                let it = recurring_runs::table.find(&row.id);
                diesel::update(it).set(recurring_runs::fault.eq("")).execute(conn).await?;
            }
            admit(conn, run, &spec, limits).await?;
            leases::hold(conn, firing.fence).await?;
            Ok(Fired::Made(run_id))
        })?)
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
            let going_on = active(conn, &home, id.as_str()).await?;
            if going_on >= max {
                let text = format!("recurring run {id} may have {max} runs at one time, and {going_on} go on");
                return Err(domain::Error::precondition(text).into());
            }
            let run_id = RunId::from_text(run.id.clone());
            ticks::insert(conn, &home, fired(&id, now, &run_id, format!("asked for by {by}"), Fence::Alone, now))
                .await?;
            admit(conn, run, &spec, limits).await?;
            Ok(run_id)
        })?)
    }

    /// On a server one decision is written after another: they would meet in the counters and in the pages of indexes, and
    /// what meets has to begin anew. In a file they come one after another anyway.
    async fn turn_to_decide(&self) -> Option<MutexGuard<'_, ()>> {
        match self.access {
            Access::File { .. } => None,
            Access::Server { .. } => Some(self.decisions.lock().await),
        }
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

/// The schedule, with how many runs may go on at one time and what kept it from making any, if it is still what was
/// decided on.
async fn as_decided(
    conn: &mut Connection,
    id: &RecurringRunId,
    revision: i64,
) -> Result<Option<(Row, i64, String)>, Error> {
    let it = schedules::table.inner_join(recurring_runs::table.on(recurring_runs::id.eq(schedules::id)));
    let it = it.filter(schedules::id.eq(id.as_str())).filter(schedules::revision.eq(revision));
    let it = it.filter(recurring_runs::enabled.eq(true));
    let columns = (Row::as_select(), recurring_runs::max_concurrency, recurring_runs::fault);
    Ok(it.select(columns).first(conn).await.optional()?)
}

/// A moment that a run was made of.
fn fired(
    id: &RecurringRunId,
    at: Timestamp,
    run_id: &RunId,
    reason: String,
    fence: Fence,
    decided_at: Timestamp,
) -> Tick {
    Tick {
        recurring_run_id: id.clone(),
        fire_at: at,
        until: at,
        moments: 1,
        outcome: Outcome::Fired,
        reason,
        run_id: Some(run_id.clone()),
        decided_at,
        fencing_token: fence.number(),
    }
}

/// How many runs of a recurring run have not ended.
async fn active(conn: &mut Connection, home: &str, id: &str) -> Result<i64, Error> {
    let of_it = runs::table.filter(runs::namespace.eq(home)).filter(runs::recurring_run_id.eq(id));
    Ok(of_it.filter(runs::finished_at.eq(0)).count().get_result(conn).await?)
}

fn for_all(home: &Home) -> Result<()> {
    match home {
        Home::Cluster => Ok(()),
        _ => Err(domain::Error::internal("schedules are kept with a grant for all tenants")),
    }
}
