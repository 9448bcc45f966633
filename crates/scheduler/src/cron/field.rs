//! One field of a cron expression: a set of numbers.

/// What a field may hold.
pub(super) struct Kind {
    name: &'static str,
    min: u64,
    max: u64,
    /// Other words for its numbers, from `min` on.
    names: &'static [&'static str],
}

pub(super) const SECOND: Kind = Kind { name: "second", min: 0, max: 59, names: &[] };
pub(super) const MINUTE: Kind = Kind { name: "minute", min: 0, max: 59, names: &[] };
pub(super) const HOUR: Kind = Kind { name: "hour", min: 0, max: 23, names: &[] };
pub(super) const DAY: Kind = Kind { name: "day of month", min: 1, max: 31, names: &[] };
pub(super) const MONTH: Kind = Kind {
    name: "month",
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
pub(super) const WEEKDAY: Kind =
    Kind { name: "day of week", min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// The numbers that a field names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) bits: u64,
    /// Whether `*` or `?` is in it, with or without a step.
    pub(super) star: bool,
}

impl Field {
    pub(super) fn has(self, number: i8) -> bool {
        self.from(number) == Some(number)
    }

    /// The smallest of its numbers that is not below `number`.
    pub(super) fn from(self, number: i8) -> Option<i8> {
        let left = self.bits & u64::MAX.checked_shl(u32::try_from(number).ok()?)?;
        i8::try_from(left.trailing_zeros()).ok().filter(|_| left != 0)
    }

    /// Its numbers, from the smallest on.
    pub(super) fn numbers(self) -> impl Iterator<Item = i8> {
        std::iter::successors(self.from(0), move |number| self.from(number + 1))
    }

    /// What lies between the two of its numbers that are closest to each other.
    pub(super) fn gap(self) -> Option<i64> {
        self.numbers().zip(self.numbers().skip(1)).map(|(one, next)| i64::from(next - one)).min()
    }

    /// How far its last number is from its first.
    pub(super) fn span(self) -> i64 {
        let (first, last) = (self.numbers().next(), self.numbers().last());
        first.zip(last).map_or(0, |(first, last)| i64::from(last - first))
    }
}

impl Kind {
    /// Reads a list of ranges.
    pub(super) fn read(&self, text: &str) -> Result<Field, String> {
        let mut field = Field { bits: 0, star: false };
        // Empty elements are skipped, as upstream does.
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let (bits, star) = self.range(range).map_err(|why| format!("{} {range:?}: {why}", self.name))?;
            field.bits |= bits;
            field.star |= star;
        }
        if field.bits == 0 {
            return Err(format!("{} {text:?}: it has no value", self.name));
        }
        Ok(field)
    }

    /// Reads `*`, `N`, `N-M`, and each of these with `/STEP`.
    fn range(&self, text: &str) -> Result<(u64, bool), String> {
        let (span, step) = match text.split_once('/') {
            None => (text, None),
            Some((_, step)) if step.contains('/') => return Err("it has more than one slash".to_owned()),
            Some((span, step)) => (span, Some(number(step)?)),
        };
        let (star, low, high) = match span.split_once('-') {
            None if span == "*" || span == "?" => (true, self.min, self.max),
            None => {
                let low = self.value(span)?;
                (false, low, if step.is_some() { self.max } else { low })
            }
            Some((_, high)) if high.contains('-') => return Err("it has more than one hyphen".to_owned()),
            Some((low, high)) => (false, self.value(low)?, self.value(high)?),
        };
        if low > high {
            return Err(format!("the range goes down, from {low} to {high}"));
        }
        let step = step.unwrap_or(1);
        let step = usize::try_from(step).map_err(|_| "the step is too large".to_owned())?;
        if step == 0 {
            return Err("the step must be at least 1".to_owned());
        }
        Ok(((low..=high).step_by(step).fold(0, |bits, number| bits | 1 << number), star))
    }

    /// Reads a number or a name within the bounds.
    fn value(&self, text: &str) -> Result<u64, String> {
        let lower = text.to_ascii_lowercase();
        let value = match (self.min..).zip(self.names).find(|(_, name)| **name == lower) {
            Some((value, _)) => value,
            None => number(text)?,
        };
        if !(self.min..=self.max).contains(&value) {
            return Err(format!("{value} is not between {} and {}", self.min, self.max));
        }
        Ok(value)
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}
