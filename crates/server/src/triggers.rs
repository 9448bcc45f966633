//! When a recurring run makes runs: from and to the messages of both API versions, and what may be said there.
use crate::time;
use domain::{Error, Result, Timestamp, Trigger, clipped};
use prost_types::Timestamp as Wire;
use scheduler::{Cron, Timing, Zone};
use std::time::Duration;

/// The longest cron expression, in characters: every second of a minute by itself and as much again.
const CRON: usize = 512;

/// The messages of both versions are alike and differ in their types.
macro_rules! versions {
    ($($version:ident),*) => {$(
        pub(crate) mod $version {
            use api::$version::{CronSchedule, PeriodicSchedule, Trigger as Message, trigger::Trigger as Schedule};
            use domain::{Result, Trigger};

            /// Reads a trigger; without a schedule it fires once.
            pub(crate) fn read(trigger: Option<Message>, default_zone: &str) -> Result<Trigger> {
                match trigger.and_then(|trigger| trigger.trigger) {
                    None => Ok(Trigger::Once),
                    Some(Schedule::CronSchedule(CronSchedule { cron, start_time, end_time, time_zone })) => {
                        let (start, end) = super::span(super::IN_CRON, start_time, end_time)?;
                        let (cron, zone) = super::cron(cron, time_zone, default_zone)?;
                        Ok(Trigger::Cron { cron, zone, start, end })
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
                    Trigger::Cron { cron, zone, start, end } => Some(Schedule::CronSchedule(CronSchedule {
                        cron: cron.clone(),
                        time_zone: zone.clone(),
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

/// Passes a trigger that can fire, and that does not fire more often than a namespace's may.
pub(crate) fn check(trigger: &Trigger, now: Timestamp, least: Duration) -> Result<()> {
    match trigger {
        Trigger::Once | Trigger::Periodic { interval_seconds: 1.., .. } => {}
        Trigger::Periodic { interval_seconds, .. } => {
            let text = format!("{IN_PERIODIC}.interval_second is {interval_seconds}, and must be at least 1");
            return Err(Error::invalid(text));
        }
        Trigger::Cron { cron, zone, start, .. } => {
            crate::names::length(&format!("{IN_CRON}.cron"), cron, CRON)?;
            let read = Cron::parse(Cron::split_zone(cron).1).map_err(|error| error.at(IN_CRON))?;
            let zone = Zone::parse(zone).map_err(|error| error.at(IN_CRON))?;
            if read.next(start.unwrap_or(now).max(now), &zone).is_none() {
                return Err(Error::invalid(format!(
                    "{IN_CRON}: cron {cron:?} never fires: none of its days comes within five years"
                )));
            }
        }
    }
    pace(trigger, least).map_err(Error::invalid)
}

/// Passes a trigger that does not fire more often than a namespace's may, or says what is wrong.
pub(crate) fn pace(trigger: &Trigger, least: Duration) -> Result<(), String> {
    if least.is_zero() {
        return Ok(());
    }
    let gap = Timing::of(trigger, Timestamp::default()).map_err(|error| error.to_string())?.shortest_gap();
    match gap.and_then(|gap| u64::try_from(gap).ok()).map(Duration::from_secs) {
        Some(gap) if gap < least => Err(format!(
            "the schedule has moments that are {} s apart, and in this namespace at least {} s are between two \
             (schedules.min_interval of the server's configuration)",
            gap.as_secs(),
            least.as_secs()
        )),
        _ => Ok(()),
    }
}

/// A cron expression as it was written, and its time zone, which clients that have no field for it write before the
/// expression. UTC needs no name, unless another one is meant where none is named.
fn cron(text: String, zone: String, default_zone: &str) -> Result<(String, String)> {
    let zone = match (Cron::split_zone(&text).0, zone.is_empty()) {
        (Some(written), false) if Zone::parse(written)? != Zone::parse(&zone)? => {
            return Err(Error::invalid(format!(
                "{IN_CRON}: the expression is in time zone {}, and time_zone is {}: give one of them",
                clipped(written),
                clipped(&zone)
            )));
        }
        (Some(written), _) => written.to_owned(),
        (None, false) => zone,
        (None, true) => default_zone.to_owned(),
    };
    let zone = Zone::parse(&zone).map_err(|error| error.at(format!("{IN_CRON}.time_zone")))?;
    let goes_without_saying = zone == Zone::utc() && Zone::parse(default_zone)? == zone;
    let name = if goes_without_saying { String::new() } else { zone.name().to_owned() };
    Ok((text, name))
}

fn span(place: &str, start: Option<Wire>, end: Option<Wire>) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    // Some clients write their zero, which is of the year 1, where they mean none.
    let bound = |time: Option<Timestamp>| time.filter(|time| *time > Timestamp::default());
    let start = bound(time::read(&format!("{place}.start_time"), start)?);
    let end = bound(time::read(&format!("{place}.end_time"), end)?);
    match (start, end) {
        (Some(start), Some(end)) if end <= start => {
            Err(Error::invalid(format!("{place}: end_time {end} is not after start_time {start}")))
        }
        _ => Ok((start, end)),
    }
}
