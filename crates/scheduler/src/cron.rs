//! Cron expressions, as KFP reads them: the rules of robfig/cron v1.2, in UTC.
//!
//! Seconds come first, and the day of the week may be left out; so `*/5 * * * *` is every five seconds. `*` and `?`
//! mean the same. A step after a single value runs to the end of the field (`5/10` is `5-59/10`). Where both days are
//! restricted either may match; where one of them is `*`, `?` or a step of these, both must. A day of the week is 0
//! (Sunday) to 6 or a name.
mod duration;
mod field;

use domain::{Error, Result, Timestamp};
use field::{DAY, Field, HOUR, MINUTE, MONTH, SECOND, WEEKDAY};
use jiff::{Timestamp as Moment, civil::Date, tz::TimeZone};

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

#[derive(Clone, Debug, PartialEq, Eq)]
struct Calendar {
    second: Field,
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

impl Cron {
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
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.0 {
            When::Every(seconds) => {
                let next = Moment::from_second(after.seconds().checked_add(*seconds)?).ok()?;
                Some(Timestamp::from_seconds(next.as_second()))
            }
            When::Calendar(calendar) => calendar.next(after),
        }
    }
}

impl Calendar {
    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let start = Moment::from_second(after.seconds().checked_add(1)?).ok()?.to_zoned(TimeZone::UTC);
        let (today, now) = (start.date(), start.time());
        let last = today.year().saturating_add(YEARS);
        let mut earliest = (now.hour(), now.minute(), now.second());
        let mut date = today;
        while date.year() <= last {
            if self.has(date)
                && let Some((hour, minute, second)) = self.time(earliest)
            {
                let moment = date.at(hour, minute, second, 0).to_zoned(TimeZone::UTC).ok()?;
                return Some(Timestamp::from_seconds(moment.timestamp().as_second()));
            }
            earliest = (0, 0, 0);
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn has(&self, date: Date) -> bool {
        let (day, weekday) = (self.day.has(date.day()), self.weekday.has(date.weekday().to_sunday_zero_offset()));
        let matches = if self.day.star || self.weekday.star { day && weekday } else { day || weekday };
        self.month.has(date.month()) && matches
    }

    /// The first time of a day that is not before another.
    fn time(&self, (hour, minute, second): (i8, i8, i8)) -> Option<(i8, i8, i8)> {
        let (first_minute, first_second) = (self.minute.from(0)?, self.second.from(0)?);
        let found = self.hour.from(hour)?;
        if found > hour {
            return Some((found, first_minute, first_second));
        }
        match self.minute.from(minute) {
            Some(same) if same == minute => match self.second.from(second) {
                Some(second) => Some((hour, minute, second)),
                None => match self.minute.from(minute + 1) {
                    Some(minute) => Some((hour, minute, first_second)),
                    None => Some((self.hour.from(hour + 1)?, first_minute, first_second)),
                },
            },
            Some(later) => Some((hour, later, first_second)),
            None => Some((self.hour.from(hour + 1)?, first_minute, first_second)),
        }
    }
}
