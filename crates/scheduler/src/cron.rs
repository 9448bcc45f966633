//! Cron expressions, as KFP reads them: the rules of robfig/cron v1.2, in any time zone.
//!
//! Seconds come first, and the day of the week may be left out; so `*/5 * * * *` is every five seconds. `*` and `?`
//! mean the same. A step after a single value runs to the end of the field (`5/10` is `5-59/10`). Where both days are
//! restricted either may match; where one of them is `*`, `?` or a step of these, both must. A day of the week is 0
//! (Sunday) to 6 or a name.
mod calendar;
mod duration;
mod field;

use crate::Zone;
use calendar::Calendar;
use domain::{Error, Result, Timestamp};
use field::{DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAY};
use jiff::Timestamp as Moment;

/// How many years after the one that it starts in a search goes on.
const YEARS: i16 = 5;

/// A cron expression that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron(When);

#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    /// Whole seconds between two, at least one.
    Every(i64),
    Calendar(Calendar),
}

impl Cron {
    /// Takes the time zone off the front of an expression, written as `CRON_TZ=Zone ` or `TZ=Zone `.
    ///
    /// Upstream knows no such thing. It is for clients that can send nothing but the text of an expression.
    pub fn split_zone(text: &str) -> (Option<&str>, &str) {
        let trimmed = text.trim_start();
        match trimmed.strip_prefix("CRON_TZ=").or_else(|| trimmed.strip_prefix("TZ=")) {
            Some(rest) => {
                let (zone, cron) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                (Some(zone), cron.trim_start())
            }
            None => (None, text),
        }
    }

    /// Reads five or six fields, a descriptor such as `@daily`, or `@every` with a duration.
    ///
    /// # Errors
    /// `InvalidArgument`, with the field that is wrong and why.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: String| Error::invalid(format!("cron {text:?} is not understood: {why}"));
        if let Some(span) = text.strip_prefix("@every ") {
            let seconds = duration::seconds(span).map_err(|why| wrong(format!("the duration {span:?} {why}")))?;
            return Ok(Self(When::Every(seconds)));
        }
        let spelled = match text {
            "@yearly" | "@annually" => "0 0 0 1 1 *",
            "@monthly" => "0 0 0 1 * *",
            "@weekly" => "0 0 0 * * 0",
            "@daily" | "@midnight" => "0 0 0 * * *",
            "@hourly" => "0 0 * * * *",
            _ if text.starts_with('@') => {
                let known = "@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly and `@every DURATION`";
                return Err(wrong(format!("there are the descriptors {known}")));
            }
            _ => text,
        };
        let fields: Vec<&str> = spelled.split_whitespace().collect();
        let (second, minute, hour, day, month, weekday) = match fields[..] {
            [second, minute, hour, day, month] => (second, minute, hour, day, month, "*"),
            [second, minute, hour, day, month, weekday] => (second, minute, hour, day, month, weekday),
            _ => {
                let order = "second, minute, hour, day of month, month and, optionally, day of week";
                return Err(wrong(format!("it has {} fields where 5 or 6 are wanted: {order}", fields.len())));
            }
        };
        Ok(Self(When::Calendar(Calendar {
            second: SECOND.read(second).map_err(wrong)?,
            minute: MINUTE.read(minute).map_err(wrong)?,
            hour: HOUR.read(hour).map_err(wrong)?,
            day: DAY.read(day).map_err(wrong)?,
            month: MONTH.read(month).map_err(wrong)?,
            weekday: WEEKDAY.read(weekday).map_err(wrong)?,
        })))
    }

    /// The first moment after `after`, a whole second; none if there is none to the end of the fifth year after it.
    ///
    /// `@every` counts seconds and knows no zones. The other expressions are about what clocks in `zone` show. Where
    /// those are set forward there is a gap of times that no clock shows, and where they are set back there is a fold
    /// of times that are shown twice:
    ///
    /// * If the hour is `*`, `?` or a step of these, real time counts: each moment matches at which the clocks show a
    ///   time that does. So both passes of a fold match, and nothing of a gap.
    /// * If the hour is restricted, it is a job of so many times a day. Those of a gap are due together at the first
    ///   moment after it, and those of a fold in its first pass alone.
    pub fn next(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let next = match &self.0 {
            When::Every(seconds) => Moment::from_second(after.seconds().checked_add(*seconds)?).ok()?,
            When::Calendar(calendar) => {
                let start = Moment::from_second(after.seconds().checked_add(1)?).ok()?;
                calendar.search(start, zone.local(start).year().saturating_add(YEARS), zone)?
            }
        };
        Some(Timestamp::from_seconds(next.as_second()))
    }

    /// The first moment of a schedule that begins at `start`: at or after it, and for `@every` one delay after it.
    pub fn first(&self, start: Timestamp, zone: &Zone) -> Option<Timestamp> {
        match &self.0 {
            When::Every(_) => self.next(start, zone),
            When::Calendar(_) => self.next(Timestamp(start.0.checked_sub(1)?), zone),
        }
    }

    /// The last moment after `after` that is not after `until`: for `@every`, a whole number of delays after `after`.
    ///
    /// It takes as long for a thousand missed moments as for two, and finds those too that `next` is too short-sighted
    /// for.
    pub fn latest(&self, after: Timestamp, until: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let (after, until) = (after.seconds(), until.seconds().min(Moment::MAX.as_second()));
        let latest = match &self.0 {
            When::Every(delay) => {
                let delays = until.checked_sub(after)? / delay;
                Some(after + delays * delay).filter(|_| delays > 0)?
            }
            When::Calendar(calendar) => calendar.latest(after, until, zone)?,
        };
        Moment::from_second(latest).ok().map(|latest| Timestamp::from_seconds(latest.as_second()))
    }

    /// The fewest seconds between two moments that follow each other, over all years and without regard to zones; none
    /// if there never is a moment.
    pub fn shortest_gap(&self) -> Option<i64> {
        match &self.0 {
            When::Every(delay) => Some(*delay),
            When::Calendar(calendar) => calendar.shortest_gap(),
        }
    }
}
