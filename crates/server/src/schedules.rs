//! ScheduleService: when recurring runs are due, and what has come of it. And what holds for all schedules.
use crate::{Context, fire, time, v2::fault};
use access::{Gate, Owner, Scope};
use api::bulkhead::v1::{schedule_service_rpc as rpc, *};
use domain::{Namespace, Outcome, Result, Timestamp, list::Query};
use scheduler::Timing;
use std::{collections::BTreeMap, iter, time::Duration};

/// How many moments are told ahead.
const AHEAD: usize = 5;

/// What an installation says of schedules.
#[derive(Clone, Debug, Default)]
pub struct Schedules {
    /// The time zone of a cron expression that names none; empty for UTC.
    pub time_zone: String,
    /// The least time between two moments of a schedule.
    pub min_interval: Duration,
    /// The same for single namespaces, in place of that.
    pub namespaces: BTreeMap<Namespace, Duration>,
    /// For how long after it was recorded in which groups an owner is they are taken for a member.
    pub owner_max_age: Option<Duration>,
}

impl Schedules {
    /// The least time between two moments of a schedule of that namespace.
    pub(crate) fn least(&self, namespace: &Namespace) -> Duration {
        self.namespaces.get(namespace).copied().unwrap_or(self.min_interval)
    }
}

pub(crate) struct ScheduleService(pub(crate) Context);

impl ScheduleServiceHandlers<Gate> for ScheduleService {
    async fn list_schedules(
        &self,
        scope: Scope<rpc::ListSchedules>,
        req: ListSchedulesRequest,
    ) -> Result<ListSchedulesResponse> {
        let query = Query { size: req.page_size, token: req.page_token, ..Query::default() };
        let page = self.0.store.schedules(&scope.grant(), query).await?;
        Ok(ListSchedulesResponse {
            total_size: page.total_size(),
            schedules: page.items.into_iter().map(message).collect::<Result<_>>()?,
            next_page_token: page.next,
        })
    }

    async fn get_schedule(&self, scope: Scope<rpc::GetSchedule>, req: GetScheduleRequest) -> Result<Schedule> {
        message(self.0.store.schedule_of(&scope.grant(), &req.recurring_run_id).await?)
    }

    async fn list_ticks(&self, scope: Scope<rpc::ListTicks>, req: ListTicksRequest) -> Result<ListTicksResponse> {
        let query = Query { size: req.page_size, token: req.page_token, ..Query::default() };
        let (ticks, next_page_token) = self.0.store.ticks(&scope.grant(), &req.recurring_run_id, query).await?;
        Ok(ListTicksResponse { ticks: ticks.into_iter().map(tick).collect(), next_page_token })
    }

    async fn fire_recurring_run(
        &self,
        scope: Scope<rpc::FireRecurringRun>,
        req: FireRecurringRunRequest,
    ) -> Result<FireRecurringRunResponse> {
        let run_id = fire::now(&self.0, &scope, &req.recurring_run_id).await?;
        Ok(FireRecurringRunResponse { run_id: run_id.to_string() })
    }
}

fn message((schedule, owner): (domain::Schedule, Option<Owner>)) -> Result<Schedule> {
    let it = &schedule.recurring_run;
    let timing = Timing::of(&it.trigger, it.created_at)?;
    let ahead = iter::successors(timing.next(schedule.last_at), |last| timing.next(Some(*last)));
    let ahead = ahead.take(if it.enabled { AHEAD } else { 0 });
    // What comes after the year 9999 has no place in a message.
    let known = |time: Option<Timestamp>| time.and_then(time::known).and_then(time::precise);
    Ok(Schedule {
        recurring_run_id: it.id.to_string(),
        display_name: it.name.clone(),
        enabled: it.enabled,
        next_times: ahead.filter_map(|time| known(Some(time))).collect(),
        last_time: known(schedule.last_at),
        fired: schedule.fired,
        active: schedule.active,
        waiting: schedule.waiting,
        error: it.fault.as_ref().map(fault),
        error_since: known(it.fault.as_ref().map(|fault| fault.since)),
        owner: owner.as_ref().map(|owner| owner.user().to_owned()).unwrap_or_default(),
        owner_recorded_at: known(owner.map(|owner| owner.recorded_at())),
    })
}

fn tick(tick: domain::Tick) -> Tick {
    let outcome = match tick.outcome {
        Outcome::Fired => tick::Outcome::Fired,
        Outcome::Missed => tick::Outcome::Missed,
        Outcome::Refused => tick::Outcome::Refused,
    };
    Tick {
        fire_time: time::precise(tick.fire_at),
        until_time: time::precise(tick.until),
        moments: tick.moments,
        outcome: outcome.into(),
        reason: tick.reason,
        run_id: tick.run_id.map(|id| id.to_string()).unwrap_or_default(),
        decided_at: time::precise(tick.decided_at),
    }
}
