//! The days and times that the fields of an expression name.
use super::field::Field;
use crate::Zone;
use jiff::{
    Timestamp as Moment,
    civil::{Date, DateTime},
};

/// The last year that a date can be in.
const LAST_YEAR: i16 = 9999;
/// A bit for the first day of each week, if the first of them is bit 0.
const WEEKS: u64 = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Calendar {
    pub(super) second: Field,
    pub(super) minute: Field,
    pub(super) hour: Field,
    pub(super) day: Field,
    pub(super) month: Field,
    pub(super) weekday: Field,
}

impl Calendar {
    /// The first moment from `start` on, a whole second, to the end of a year in `zone`. `Cron::next` has the rules.
    pub(super) fn search(&self, start: Moment, last_year: i16, zone: &Zone) -> Option<Moment> {
        let last = Date::new(last_year.min(LAST_YEAR), 12, 31).ok()?.at(23, 59, 59, 0);
        let mut from = start;
        loop {
            let segment = zone.segment(from);
            let shown = if self.hour.star { segment.local(from) } else { segment.unseen(from) };
            let until = segment.last().map_or(last, |end| end.min(last));
            if let Some(slot) = self.slot(shown, until) {
                // A slot in the gap before the segment would be too early.
                return segment.moment(slot).map(|moment| moment.max(from));
            }
            if until == last {
                return None;
            }
            from = segment.end?;
        }
    }

    /// The last second after `after` that matches and is not after `until`.
    pub(super) fn latest(&self, after: i64, until: i64, zone: &Zone) -> Option<i64> {
        let end = Moment::from_second(until).ok()?;
        // Clocks that were set back over the turn of a year have shown the next one before.
        let last_year = zone.local(end).year().saturating_add(1);
        let next = |after: i64| {
            let start = Moment::from_second(after.checked_add(1)?).ok()?;
            self.search(start, last_year, zone).map(Moment::as_second).filter(|next| *next <= until)
        };
        let (mut found, mut until) = (next(after)?, until);
        // What was found matches, and nothing does after `until`, which comes nearer.
        while found < until {
            let middle = found + (until - found) / 2;
            match next(middle) {
                Some(next) => found = next,
                None => until = middle,
            }
        }
        Some(found)
    }

    /// The fewest seconds between two moments that follow each other, where all days have 24 hours.
    pub(super) fn shortest_gap(&self) -> Option<i64> {
        let mut shortest = i64::MAX;
        // From the last to the first of the values that the smaller fields have in their turn.
        let mut back = 0;
        for (field, unit) in [(self.second, 1), (self.minute, 60), (self.hour, 3600)] {
            shortest = shortest.min(field.gap().map_or(i64::MAX, |gap| gap * unit - back));
            back += field.span() * unit;
        }
        Some(shortest.min(self.closest_days()? * 86_400 - back))
    }

    /// How many days lie between the two matching ones that are closest to each other; none if no day matches.
    fn closest_days(&self) -> Option<i64> {
        let mut month = Date::new(2000, 1, 1).ok()?;
        let (mut closest, mut last) = (None, None);
        // The calendar and its weekdays repeat after 400 years, and no two days are further apart than the rest.
        let mut before = 0;
        while month.year() < 2440 {
            for day in self.days(month).numbers() {
                let day = before + i64::from(day);
                closest = last.map(|last| day - last).into_iter().chain(closest).min();
                if closest == Some(1) {
                    return closest;
                }
                last = Some(day);
            }
            before += i64::from(month.days_in_month());
            month = month.last_of_month().tomorrow().ok()?;
        }
        closest
    }

    /// The first local time of those from `from` to `until`.
    fn slot(&self, from: DateTime, until: DateTime) -> Option<DateTime> {
        const MIDNIGHT: (i8, i8, i8) = (0, 0, 0);
        let (mut day, mut earliest) = (from.day(), (from.hour(), from.minute(), from.second()));
        let mut month = from.date().first_of_month();
        while month <= until.date() {
            let days = self.days(month);
            while let Some(found) = days.from(day) {
                if found > day {
                    earliest = MIDNIGHT;
                }
                if let Some((hour, minute, second)) = self.time(earliest) {
                    let slot = Date::new(month.year(), month.month(), found).ok()?.at(hour, minute, second, 0);
                    return Some(slot).filter(|slot| *slot <= until);
                }
                (day, earliest) = (found + 1, MIDNIGHT);
            }
            month = month.last_of_month().tomorrow().ok()?;
            (day, earliest) = (1, MIDNIGHT);
        }
        None
    }

    /// The days of a month that match, by its first day.
    fn days(&self, month: Date) -> Field {
        if !self.month.has(month.month()) {
            return Field { bits: 0, star: false };
        }
        let first = month.weekday().to_sunday_zero_offset();
        let week = self.weekday.bits >> first | self.weekday.bits << (7 - first);
        // Days are counted from 1, so bit 0 is none.
        let weekdays = ((week & 0x7f) * WEEKS) << 1;
        let either =
            if self.day.star || self.weekday.star { self.day.bits & weekdays } else { self.day.bits | weekdays };
        Field { bits: either & ((2 << month.days_in_month()) - 2), star: false }
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
