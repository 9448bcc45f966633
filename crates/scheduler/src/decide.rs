//! What is to be done with a schedule at a moment. Pure.
use crate::timing::{Span, Timing};
use domain::{Outcome, Passed, Result, Schedule, Timestamp};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing before that moment; nothing ever, without one.
    Rest(Option<Timestamp>),
    /// A moment has come, and as many of its runs go on as may.
    Wait,
    Fire {
        at: Timestamp,
        /// Moments before that, which are not made up for.
        passed: Option<Passed>,
        next: Option<Timestamp>,
    },
}

/// Decides on a schedule.
///
/// With catch-up each moment gets its run, one after the other; without it, the last of those that have come.
///
/// # Errors
/// `InvalidArgument` for a trigger that cannot be read.
pub fn decide(schedule: &Schedule, now: Timestamp) -> Result<Decision> {
    let it = &schedule.recurring_run;
    let timing = Timing::of(&it.trigger, it.created_at)?;
    let next = timing.next(schedule.last_at);
    let Some(due) = next.filter(|next| *next <= now) else { return Ok(Decision::Rest(next)) };
    if schedule.active >= it.max_concurrency {
        return Ok(Decision::Wait);
    }
    if it.catchup {
        return Ok(Decision::Fire { at: due, passed: None, next: timing.next(Some(due)) });
    }
    let at = timing.latest(schedule.last_at, now).unwrap_or(due);
    let before = timing.span(schedule.last_at, Timestamp(at.0 - 1));
    let passed = before.map(|span| passed(span, Outcome::Missed, missed(schedule)));
    Ok(Decision::Fire { at, passed, next: timing.next(Some(at)) })
}

/// All moments that have come, as ones that nothing comes of.
///
/// # Errors
/// As of [`decide`].
pub fn refuse(schedule: &Schedule, now: Timestamp, reason: String) -> Result<(Option<Passed>, Option<Timestamp>)> {
    let it = &schedule.recurring_run;
    let timing = Timing::of(&it.trigger, it.created_at)?;
    let span = timing.span(schedule.last_at, now);
    let next = timing.next(span.map(|span| span.until).or(schedule.last_at));
    Ok((span.map(|span| passed(span, Outcome::Refused, reason)), next))
}

fn passed(Span { from, until, moments }: Span, outcome: Outcome, reason: String) -> Passed {
    Passed { from, until, moments, outcome, reason }
}

/// Why moments are over without a run.
fn missed(schedule: &Schedule) -> String {
    let it = &schedule.recurring_run;
    match (&it.fault, schedule.waiting) {
        (Some(fault), _) => fault.message.clone(),
        (None, true) => format!("as many of its runs went on as may at one time, {}", it.max_concurrency),
        (None, false) => {
            "it was over before it could be seen to, and without catch-up only the last one counts".to_owned()
        }
    }
}
