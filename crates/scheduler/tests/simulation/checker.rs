//! What must hold of the ticks and runs, whatever has happened.
use crate::house::{House, NAMESPACE, of};
use domain::{Clock as _, Outcome, RecurringRun, Run, Tick, Timestamp, list::Query};
use scheduler::{MOST_COUNTED, Timing};
use std::collections::{BTreeMap, BTreeSet};
use store::ListScope;

/// How long after its moment a run may be made once all is well.
const LATE: i64 = 20_000_000;

/// What is wrong.
pub(crate) async fn check(house: &House) -> Vec<String> {
    let mut faults = Vec::new();
    let runs = runs(house).await;
    for it in house.recurring_runs.iter() {
        let of_it: Vec<&Run> = runs.iter().filter(|run| run.recurring_run_id == it.id.as_str()).collect();
        let ticks = ticks(house, it).await;
        let found = [
            each_run_is_of_one_moment(&ticks, &of_it),
            nothing_is_lost(house, it, &ticks).await,
            in_turn(it, &of_it),
            led(&ticks),
        ];
        faults.extend(found.into_iter().flatten().map(|fault| format!("{} {:?}: {fault}", it.name, it.trigger)));
    }
    faults
}

async fn ticks(house: &House, it: &RecurringRun) -> Vec<Tick> {
    let mut query = Query { size: 200, ..Query::default() };
    let mut all = Vec::new();
    loop {
        let (ticks, next) = house.store.ticks(&of(NAMESPACE), it.id.as_str(), query.clone()).await.unwrap();
        all.extend(ticks);
        if next.is_empty() {
            all.reverse();
            return all;
        }
        query.token = next;
    }
}

async fn runs(house: &House) -> Vec<Run> {
    let mut query = Query { size: 200, ..Query::default() };
    let mut all = Vec::new();
    loop {
        let page = house.store.runs(&of(NAMESPACE), ListScope::Everything, query.clone()).await.unwrap();
        all.extend(page.items);
        if page.next.is_empty() {
            return all;
        }
        query.token = page.next;
    }
}

fn each_run_is_of_one_moment(ticks: &[Tick], runs: &[&Run]) -> Vec<String> {
    let fired: BTreeMap<Timestamp, &str> = ticks
        .iter()
        .filter(|tick| tick.outcome == Outcome::Fired)
        .map(|tick| (tick.fire_at, tick.run_id.as_ref().unwrap().as_str()))
        .collect();
    let made: BTreeMap<Timestamp, &str> = runs.iter().map(|run| (run.scheduled_at, run.id.as_str())).collect();
    let names: BTreeSet<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let mut faults = Vec::new();
    if made.len() != runs.len() || names.len() != runs.len() {
        faults.push("a moment, or a name, has two runs".to_owned());
    }
    if fired != made {
        faults.push(format!("{} moments have a run by the ticks, and {} by the runs", fired.len(), made.len()));
    }
    faults
}

/// Every moment that has come is decided on once.
async fn nothing_is_lost(house: &House, it: &RecurringRun, ticks: &[Tick]) -> Vec<String> {
    let timing = Timing::of(&it.trigger, it.created_at).unwrap();
    let (schedule, _) = house.store.schedule_of(&of(NAMESPACE), it.id.as_str()).await.unwrap();
    let mut faults = Vec::new();
    let mut last = None;
    for tick in ticks {
        let next = timing.next(last);
        if next != Some(tick.fire_at) {
            faults.push(format!("after {last:?} comes {next:?}, and what was decided on is {:?}", tick.fire_at));
        }
        if tick.outcome == Outcome::Missed && it.catchup {
            faults.push(format!("{:?} was missed in spite of catch-up", tick.fire_at));
        }
        let span = timing.span(last, tick.until);
        if span.is_none_or(|span| span.until != tick.until || span.moments.min(MOST_COUNTED) != tick.moments) {
            faults.push(format!("{tick:?} stands for {span:?}"));
        }
        last = Some(tick.until);
    }
    if schedule.last_at != last {
        faults.push(format!("the last moment is {last:?}, and by the schedule {:?}", schedule.last_at));
    }
    let now = house.time.now();
    let owed = timing.latest(last, Timestamp(now.0 - LATE));
    let is_free = schedule.active < it.max_concurrency;
    // With catch-up the backlog is worked off one by one, as fast as runs end.
    let at_work = it.catchup && ticks.last().is_some_and(|tick| tick.decided_at.0 >= now.0 - 2 * LATE);
    if let Some(owed) = owed.filter(|_| schedule.recurring_run.enabled && is_free && !at_work) {
        faults.push(format!("{owed:?} is owed at {now:?}: {schedule:?}"));
    }
    faults
}

/// No more runs at one time than may be.
fn in_turn(it: &RecurringRun, runs: &[&Run]) -> Vec<String> {
    let mut steps: Vec<(Timestamp, i64)> = Vec::new();
    for run in runs {
        steps.push((run.created_at, 1));
        steps.extend(run.finished_at.map(|ended| (ended, -1)));
    }
    steps.sort();
    let mut active = 0;
    let most = steps.iter().map(|(_, step)| {
        active += step;
        active
    });
    let most = most.max().unwrap_or_default();
    let fault = || format!("{most} runs at one time, where {} may be", it.max_concurrency);
    (most > it.max_concurrency).then(fault).into_iter().collect()
}

/// Whoever decides later has no smaller number.
fn led(ticks: &[Tick]) -> Vec<String> {
    let tokens = ticks.windows(2).filter(|pair| pair[0].fencing_token > pair[1].fencing_token);
    tokens.map(|pair| format!("a stale server has decided: {pair:?}")).collect()
}
