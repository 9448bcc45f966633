//! When a recurring run makes runs: from and to the messages of both API versions, and what may be said there.
use crate::time;
use domain::{Error, Result, Timestamp, Trigger};
use prost_types::Timestamp as Wire;
use scheduler::Cron;

/// The longest cron expression, in characters: every second of a minute by itself and as much again.
const CRON: usize = 512;

/// The messages of both versions are alike and differ in their types.
macro_rules! versions {
    ($($version:ident),*) => {$(
        pub(crate) mod $version {
            use api::$version::{CronSchedule, PeriodicSchedule, Trigger as Message, trigger::Trigger as Schedule};
            use domain::{Result, Trigger};

            /// Reads a trigger; without a schedule it fires once.
            pub(crate) fn read(trigger: Option<Message>) -> Result<Trigger> {
                match trigger.and_then(|trigger| trigger.trigger) {
                    None => Ok(Trigger::Once),
                    Some(Schedule::CronSchedule(CronSchedule { cron, start_time, end_time })) => {
                        let (start, end) = super::span(super::IN_CRON, start_time, end_time)?;
                        Ok(Trigger::Cron { cron, start, end })
                    }
                    Some(Schedule::PeriodicSchedule(PeriodicSchedule { interval_second, start_time, end_time })) => {
                        let (start, end) = super::span(super::IN_PERIODIC, start_time, end_time)?;
                        Ok(Trigger::Periodic { interval_seconds: interval_second, start, end })
                    }
                }
            }

            /// The message. It is there even where it is empty, as clients expect.
            pub(crate) fn message(trigger: &Trigger) -> Option<Message> {
                let bound = |time: &Option<_>| time.and_then(crate::time::wire);
                let schedule = match trigger {
                    Trigger::Once => None,
                    Trigger::Cron { cron, start, end } => Some(Schedule::CronSchedule(CronSchedule {
                        cron: cron.clone(),
                        start_time: bound(start),
                        end_time: bound(end),
                    })),
                    Trigger::Periodic { interval_seconds, start, end } => {
                        Some(Schedule::PeriodicSchedule(PeriodicSchedule {
                            interval_second: *interval_seconds,
                            start_time: bound(start),
                            end_time: bound(end),
                        }))
                    }
                };
                Some(Message { trigger: schedule })
            }
        }
    )*};
}

versions!(v1, v2);

const IN_CRON: &str = "trigger.cron_schedule";
const IN_PERIODIC: &str = "trigger.periodic_schedule";

/// Passes a trigger that can fire.
pub(crate) fn check(trigger: &Trigger, now: Timestamp) -> Result<()> {
    match trigger {
        Trigger::Once | Trigger::Periodic { interval_seconds: 1.., .. } => Ok(()),
        Trigger::Periodic { interval_seconds, .. } => {
            Err(Error::invalid(format!("{IN_PERIODIC}.interval_second is {interval_seconds}, and must be at least 1")))
        }
        Trigger::Cron { cron, start, .. } => {
            crate::names::length(&format!("{IN_CRON}.cron"), cron, CRON)?;
            let read = Cron::parse(cron).map_err(|error| error.at(IN_CRON))?;
            match read.next(start.unwrap_or(now).max(now)) {
                Some(_) => Ok(()),
                None => Err(Error::invalid(format!(
                    "{IN_CRON}: cron {cron:?} never fires: none of its days comes within five years"
                ))),
            }
        }
    }
}

fn span(place: &str, start: Option<Wire>, end: Option<Wire>) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    let start = time::read(&format!("{place}.start_time"), start)?;
    let end = time::read(&format!("{place}.end_time"), end)?;
    match (start, end) {
        (Some(start), Some(end)) if end <= start => {
            Err(Error::invalid(format!("{place}: end_time {end} is not after start_time {start}")))
        }
        _ => Ok((start, end)),
    }
}
