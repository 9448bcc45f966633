//! What is decided of schedules, written down. Decisions that wait while others are being written are written together, in
//! one transaction and with as few statements as one of them takes.
use crate::{
    Error, Store,
    any::AnyBackend,
    columns,
    connect::{Connection, write},
    leases,
    quotas::Limits,
    runs::{Admitted, Row as Run, admit},
    schedules::{Row, active},
    schema::{recurring_runs, schedules},
    ticks,
};
use access::Grant;
use api::access::{
    resource::{Jobs, Runs},
    verb::{Create, Get, Update},
};
use diesel::{
    QueryResult,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Bool, Text},
};
use diesel_async::RunQueryDsl;
use domain::{Fence, Fired, Firing, Kind, NewRun, Outcome, RecurringRunId, Result, RunId, Settled, Tick, Timestamp};
use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{
    Mutex as Turns,
    oneshot::{self, error::TryRecvError},
};

/// The most that are written together.
const MOST: usize = 64;

/// Where decisions wait for their turn. On a server they would meet in counters and in the pages of indexes if each were
/// written by itself, and what meets has to begin anew; in a file they come one after another anyway.
#[derive(Clone, Default)]
pub(crate) struct Decisions(Arc<Inner>);

#[derive(Default)]
struct Inner {
    waiting: Mutex<Vec<Waiting>>,
    /// Whoever holds it writes what waits, for the others too.
    turn: Turns<()>,
}

struct Waiting {
    decision: Decision,
    answer: oneshot::Sender<Result<Decided, Error>>,
}

/// One decision, as it is written.
#[derive(Clone)]
struct Decision {
    what: What,
    now: Timestamp,
}

#[derive(Clone)]
enum What {
    Settle(Settled),
    Fire { firing: Firing, run: Box<Run>, spec: Arc<str>, limits: Limits },
}

/// What has come of one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Decided {
    /// The schedule is another one by now.
    Overtaken,
    /// As many of its runs go on as may.
    Full,
    Settled,
    Made(RunId),
}

/// A schedule as it is when decisions are written.
struct Current {
    row: Row,
    max_concurrency: i64,
    fault: String,
    /// How many of its runs have not ended.
    active: i64,
}

impl Store {
    /// Writes a decision by which no run is made. It is false if the schedule is another one by now.
    ///
    /// # Errors
    /// `Aborted` if another server leads; `Internal` if the grant is not for all tenants.
    pub async fn settle_schedule(&self, grant: &Grant<Update, Jobs>, settled: Settled) -> Result<bool> {
        grant.covers_all_tenants()?;
        let decided = self.decide(Decision { what: What::Settle(settled), now: self.clock.now() }).await?;
        Ok(decided == Decided::Settled)
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
        let now = self.clock.now();
        let (run, spec) = Run::new(new, grant.namespace()?, id.as_str(), grant.who().user(), now);
        let run = Box::new(Run { scheduled_at: firing.at.0, ..run });
        let limits = self.limits(grant.home());
        match self.decide(Decision { what: What::Fire { firing, run, spec, limits }, now }).await? {
            Decided::Made(run_id) => Ok(Fired::Made(run_id)),
            Decided::Full => Ok(Fired::Full),
            Decided::Overtaken | Decided::Settled => Ok(Fired::Overtaken),
        }
    }

    /// Writes a decision when its turn comes, with others that wait for theirs.
    async fn decide(&self, decision: Decision) -> Result<Decided, Error> {
        let (answer, mut answered) = oneshot::channel();
        self.decisions.0.waits().push(Waiting { decision, answer });
        let lost = |_| Error::from(domain::Error::internal("a decision about a schedule was lost"));
        loop {
            let _turn = self.decisions.0.turn.lock().await;
            // Whoever had the turn before may have written it.
            match answered.try_recv() {
                Ok(decided) => return decided,
                Err(TryRecvError::Closed) => return Err(lost(())),
                Err(TryRecvError::Empty) => {}
            }
            let group = self.decisions.0.group();
            if group.is_empty() {
                // Whoever began to write it has gone away.
                break;
            }
            // Others wait for it too, also if who has the turn goes away.
            let store = self.clone();
            let written = async move { store.write_down(group).await };
            tokio::spawn(tracing::Instrument::in_current_span(written)).await?;
        }
        answered.await.map_err(|_| lost(()))?
    }

    /// Writes several, and says to each what has come of it.
    async fn write_down(&self, group: Vec<Waiting>) {
        if group.len() > 1 {
            let all: Vec<Decision> = group.iter().map(|waiting| waiting.decision.clone()).collect();
            if let Ok(decided) = self.write_all(all).await {
                for (waiting, decided) in group.into_iter().zip(decided) {
                    // Nobody hears it if the turn took too long.
                    let _ = waiting.answer.send(Ok(decided));
                }
                return;
            }
        }
        // What did not come about together is written one by one, so that whoever spoils it does so for himself alone.
        for Waiting { decision, answer } in group {
            let decided = self.write_all(vec![decision]).await.map(|mut decided| decided.pop());
            let none = || domain::Error::internal("a decision about a schedule has no outcome").into();
            let _ = answer.send(decided.and_then(|decided| decided.ok_or_else(none)));
        }
    }

    async fn write_all(&self, all: Vec<Decision>) -> Result<Vec<Decided>, Error> {
        write!(self, |conn| write_together(conn, all).await)
    }
}

impl Inner {
    fn waits(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        // A list is whole after each of its operations.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those whose turn it is. What was decided for somebody who has given up is not written: their rights may have ended.
    fn group(&self) -> Vec<Waiting> {
        let mut waiting = self.waits();
        waiting.retain(|waiting| !waiting.answer.is_closed());
        let many = MOST.min(waiting.len());
        let rest = waiting.split_off(many);
        mem::replace(&mut *waiting, rest)
    }
}

impl Decision {
    fn id(&self) -> &RecurringRunId {
        match &self.what {
            What::Settle(settled) => &settled.id,
            What::Fire { firing, .. } => &firing.id,
        }
    }

    fn revision(&self) -> i64 {
        match &self.what {
            What::Settle(settled) => settled.revision,
            What::Fire { firing, .. } => firing.revision,
        }
    }

    fn fence(&self) -> Fence {
        match &self.what {
            What::Settle(settled) => settled.fence,
            What::Fire { firing, .. } => firing.fence,
        }
    }

    /// What comes of it.
    fn outcome(&self, it: &Current) -> Decided {
        let is_full = it.active >= it.max_concurrency;
        match &self.what {
            What::Fire { run, .. } if run.namespace != it.row.namespace => Decided::Overtaken,
            What::Fire { .. } if is_full => Decided::Full,
            What::Fire { run, .. } => Decided::Made(RunId::from_text(run.id.clone())),
            // A run that it was to wait for has ended meanwhile.
            What::Settle(settled) if settled.waiting && !is_full => Decided::Overtaken,
            What::Settle(_) => Decided::Settled,
        }
    }
}

/// Writes decisions about as many schedules, and says what has come of each.
async fn write_together(conn: &mut Connection, all: Vec<Decision>) -> Result<Vec<Decided>, Error> {
    let fences: HashSet<Fence> = all.iter().map(Decision::fence).collect();
    let mut current = current(conn, &all).await?;
    let (mut decided, mut ticks, mut standing, mut made) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for decision in all {
        // Of two about one schedule the second is overtaken by the first.
        let it = current.remove(decision.id().as_str()).filter(|it| it.row.revision == decision.revision());
        let outcome = it.as_ref().map_or(Decided::Overtaken, |it| decision.outcome(it));
        let (Some(it), true) = (it, matches!(outcome, Decided::Settled | Decided::Made(_))) else {
            decided.push(outcome);
            continue;
        };
        decided.push(outcome);
        let (namespace, now, before) = (it.row.namespace.clone(), decision.now, it.fault);
        let row = Row { revision: it.row.revision + 1, ..it.row };
        let (row, passed, fault) = match decision.what {
            What::Settle(Settled { id, fence, passed, next_at, waiting, fault, .. }) => {
                let last_at = passed.as_ref().map_or(row.last_at, |passed| passed.until.0);
                let next_at = next_at.unwrap_or_default().0;
                let fault = fault.as_ref().map(columns::text).unwrap_or_default();
                (Row { next_at, last_at, waiting, ..row }, passed.map(|passed| passed.tick(&id, fence, now)), fault)
            }
            What::Fire { firing, run, spec, limits } => {
                let run_id = RunId::from_text(run.id.clone());
                let tick = fired(&firing.id, firing.at, &run_id, String::new(), firing.fence, now);
                ticks.push((namespace.clone(), tick));
                made.push(Admitted { run: *run, spec, limits });
                let (next_at, last_at) = (firing.next_at.unwrap_or_default().0, firing.at.0);
                let row = Row { next_at, last_at, fired: row.fired + 1, waiting: false, ..row };
                (row, firing.passed.map(|passed| passed.tick(&firing.id, firing.fence, now)), String::new())
            }
        };
        ticks.extend(passed.map(|tick| (namespace, tick)));
        if fault != before {
            let it = recurring_runs::table.find(&row.id);
            diesel::update(it).set(recurring_runs::fault.eq(&fault)).execute(conn).await?;
        }
        standing.push(row);
    }
    if standing.is_empty() {
        return Ok(decided);
    }
    ticks::insert(conn, ticks).await?;
    Standing(standing).execute(conn).await?;
    admit(conn, made).await?;
    for fence in fences {
        leases::hold(conn, fence).await?;
    }
    Ok(decided)
}

/// Those of the schedules that are there and enabled, by their ids.
async fn current(conn: &mut Connection, all: &[Decision]) -> Result<HashMap<String, Current>, Error> {
    let ids: Vec<&str> = all.iter().map(|decision| decision.id().as_str()).collect();
    let them = schedules::table.inner_join(recurring_runs::table.on(recurring_runs::id.eq(schedules::id)));
    let them = them.filter(schedules::id.eq_any(ids)).filter(recurring_runs::enabled.eq(true));
    let columns = (Row::as_select(), recurring_runs::max_concurrency, recurring_runs::fault, active());
    let found: Vec<(Row, i64, String, Option<i64>)> = them.select(columns).load(conn).await?;
    let current = |(row, max_concurrency, fault, active): (Row, _, _, Option<i64>)| {
        (row.id.clone(), Current { row, max_concurrency, fault, active: active.unwrap_or_default() })
    };
    Ok(found.into_iter().map(current).collect())
}

/// A moment that a run was made of.
pub(crate) fn fired(
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

/// Writes how schedules stand that are there, in one statement.
struct Standing(Vec<Row>);

impl QueryFragment<AnyBackend> for Standing {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        let backend = *out.backend();
        out.push_sql("INSERT INTO schedules (id, namespace, next_at, last_at, fired, waiting, revision) VALUES ");
        for (position, row) in self.0.iter().enumerate() {
            out.push_sql(if position == 0 { "(" } else { ", (" });
            for text in [&row.id, &row.namespace] {
                out.push_bind_param::<Text, String>(text)?;
                out.push_sql(", ");
            }
            for number in [&row.next_at, &row.last_at, &row.fired] {
                out.push_bind_param::<BigInt, i64>(number)?;
                out.push_sql(", ");
            }
            out.push_bind_param::<Bool, bool>(&row.waiting)?;
            out.push_sql(", ");
            out.push_bind_param::<BigInt, i64>(&row.revision)?;
            out.push_sql(")");
        }
        out.push_sql(match backend {
            AnyBackend::Mysql => " ON DUPLICATE KEY UPDATE ",
            AnyBackend::Sqlite | AnyBackend::Postgres => " ON CONFLICT (id) DO UPDATE SET ",
        });
        for (position, column) in ["next_at", "last_at", "fired", "waiting", "revision"].into_iter().enumerate() {
            out.push_sql(if position == 0 { "" } else { ", " });
            out.push_sql(column);
            match backend {
                AnyBackend::Mysql => out.push_sql(" = VALUES("),
                AnyBackend::Sqlite | AnyBackend::Postgres => out.push_sql(" = (excluded."),
            }
            out.push_sql(column);
            out.push_sql(")");
        }
        Ok(())
    }
}

impl QueryId for Standing {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}
