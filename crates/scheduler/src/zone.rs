//! Time zones of schedules, by their IANA names.
use domain::{Error, Result, clipped};
use jiff::{
    SignedDuration, Timestamp as Moment,
    civil::DateTime,
    tz::{Offset, TimeZone, TimeZoneDatabase},
};
use std::sync::LazyLock;

/// The rules that came with the build: replicas must agree, whatever their hosts have.
static RULES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A time zone. Clones share its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A stretch of time in which a zone has one offset; none of its bounds where it has no earlier or later one.
pub(crate) struct Segment {
    start: Option<Moment>,
    /// When the next one begins.
    pub(crate) end: Option<Moment>,
    /// The offset before `start`.
    before: Offset,
    offset: Offset,
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Finds a zone by its IANA name, in any case; an empty one is UTC.
    ///
    /// # Errors
    /// `InvalidArgument` if there is no such zone.
    pub fn parse(name: &str) -> Result<Self> {
        if name.is_empty() {
            return Ok(Self::utc());
        }
        match RULES.get(name) {
            // `Etc/Unknown` is the name of having none.
            Ok(zone) if !zone.is_unknown() => Ok(Self(zone)),
            _ => Err(Error::invalid(format!(
                "time zone {:?} is not known: give an IANA name, such as Europe/Berlin or UTC",
                clipped(name)
            ))),
        }
    }

    /// The IANA name, as the database writes it.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What clocks show.
    pub(crate) fn local(&self, moment: Moment) -> DateTime {
        self.0.to_datetime(moment)
    }

    /// The segment that a moment is in.
    pub(crate) fn segment(&self, moment: Moment) -> Segment {
        // The one that begins at the moment is among those that precede the second after it.
        let start = moment.checked_add(SECOND).ok().and_then(|after| self.0.preceding(after).next());
        let start = start.map(|transition| transition.timestamp());
        let end = self.0.following(moment).next().map(|transition| transition.timestamp());
        let offset = self.0.to_offset(moment);
        let before = start.and_then(|start| start.checked_sub(SECOND).ok());
        Segment { start, end, before: before.map_or(offset, |before| self.0.to_offset(before)), offset }
    }
}

impl Segment {
    /// What clocks show.
    pub(crate) fn local(&self, moment: Moment) -> DateTime {
        self.offset.to_datetime(moment)
    }

    /// The earliest local time that was not passed before a moment of the segment: at its start, that at which the
    /// clocks were set, so that a gap lies ahead; and in a fold the end of it.
    pub(crate) fn unseen(&self, moment: Moment) -> DateTime {
        match self.start.map(|start| (start, self.before.to_datetime(start))) {
            Some((start, reached)) if start == moment => reached,
            Some((_, reached)) => reached.max(self.local(moment)),
            None => self.local(moment),
        }
    }

    /// The last second that clocks show in it.
    pub(crate) fn last(&self) -> Option<DateTime> {
        self.end.and_then(|end| end.checked_sub(SECOND).ok()).map(|last| self.local(last))
    }

    /// When clocks show a time, by this segment's offset.
    pub(crate) fn moment(&self, local: DateTime) -> Option<Moment> {
        self.offset.to_timestamp(local).ok()
    }
}
