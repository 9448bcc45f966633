//! The moments at which a recurring run is due: all of them follow from what it says, and from nothing else.
use crate::{Cron, Zone};
use domain::{Result, Timestamp, Trigger};

/// How many moments are counted before it is enough to know that they are many.
pub const MOST_COUNTED: i64 = 1000;

/// A trigger that was understood.
#[derive(Clone, Debug)]
pub struct Timing {
    kind: Kind,
    created_at: Timestamp,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum Kind {
    Once,
    Cron(Cron, Zone),
    /// Microseconds.
    Periodic(i64),
}

/// Moments in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Timestamp,
    pub until: Timestamp,
    /// How many they are; [`MOST_COUNTED`] if they are as many or more.
    pub moments: i64,
}

impl Timing {
    /// Reads a trigger.
    ///
    /// # Errors
    /// `InvalidArgument` for a cron expression, or a time zone, that is not one.
    pub fn of(trigger: &Trigger, created_at: Timestamp) -> Result<Self> {
        let (kind, start, end) = match trigger {
            Trigger::Once => (Kind::Once, &None, &None),
            Trigger::Cron { cron, zone, start, end } => {
                (Kind::Cron(Cron::parse(Cron::split_zone(cron).1)?, Zone::parse(zone)?), start, end)
            }
            Trigger::Periodic { interval_seconds, start, end } => {
                (Kind::Periodic(Timestamp::from_seconds((*interval_seconds).max(1)).0), start, end)
            }
        };
        Ok(Self { kind, created_at, start: *start, end: *end })
    }

    /// The first moment after `last`; without it, the first of all. None once there is none any more.
    ///
    /// What fires once does so when it is created. A period begins with the start, or one interval after the creation,
    /// and its moments are whole intervals apart from there. A cron expression counts from its start, which may be one of
    /// its moments, or from the creation. The end may be one too. A start that has passed is one all the same: what was
    /// due since is due.
    pub fn next(&self, last: Option<Timestamp>) -> Option<Timestamp> {
        // Nothing before the start was a moment of it, whatever has been decided on.
        let last = last.filter(|last| self.start.is_none_or(|start| *last >= start));
        let next = match (&self.kind, last) {
            (Kind::Once, None) => Some(self.created_at),
            (Kind::Once, Some(_)) => None,
            (Kind::Cron(cron, zone), None) => match self.start {
                Some(start) => cron.first(start, zone),
                None => cron.next(self.created_at, zone),
            },
            (Kind::Cron(cron, zone), Some(last)) => cron.next(last, zone),
            (Kind::Periodic(interval), last) => self.periodic(*interval, last),
        };
        next.filter(|next| self.end.is_none_or(|end| *next <= end))
    }

    /// The last moment of those after `last` that have come by `now`.
    pub fn latest(&self, last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let next = self.next(last).filter(|next| *next <= now)?;
        let until = self.end.map_or(now, |end| end.min(now));
        let later = match &self.kind {
            Kind::Once => None,
            Kind::Cron(cron, zone) => cron.latest(next, until, zone),
            Kind::Periodic(interval) => Some(Timestamp(next.0 + (until.0 - next.0) / interval * interval)),
        };
        Some(later.unwrap_or(next))
    }

    /// All moments after `last` that have come by `now`.
    pub fn span(&self, last: Option<Timestamp>, now: Timestamp) -> Option<Span> {
        let (from, until) = (self.next(last)?, self.latest(last, now)?);
        let moments = match &self.kind {
            Kind::Periodic(interval) => ((until.0 - from.0) / interval + 1).min(MOST_COUNTED),
            Kind::Once | Kind::Cron(..) => {
                let mut moments = 1;
                let mut at = from;
                while at < until && moments < MOST_COUNTED {
                    at = self.next(Some(at))?;
                    moments += 1;
                }
                moments
            }
        };
        Some(Span { from, until, moments })
    }

    /// The fewest seconds between two of its moments; none if there is only one.
    pub fn shortest_gap(&self) -> Option<i64> {
        match &self.kind {
            Kind::Once => None,
            Kind::Cron(cron, _) => cron.shortest_gap(),
            Kind::Periodic(interval) => Some(interval / 1_000_000),
        }
    }

    fn periodic(&self, interval: i64, last: Option<Timestamp>) -> Option<Timestamp> {
        let first = match self.start {
            Some(start) => start.0,
            // As upstream counts, in whole seconds.
            None => Timestamp::from_seconds(self.created_at.seconds()).0.checked_add(interval)?,
        };
        let Some(last) = last.filter(|last| last.0 >= first) else { return Some(Timestamp(first)) };
        let passed = (last.0 - first) / interval + 1;
        Some(Timestamp(first.checked_add(passed.checked_mul(interval)?)?))
    }
}
