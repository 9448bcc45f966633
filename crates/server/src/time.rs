//! Moments on the wire: whole seconds.
use domain::{Error, Result, Timestamp};

/// A moment as protobuf has it. An absent one is the epoch, which clients expect to see (KFP API: never omitted).
pub(crate) fn wire(time: impl Into<Option<Timestamp>>) -> Option<prost_types::Timestamp> {
    let seconds = time.into().map_or(0, Timestamp::seconds).clamp(*SECONDS.start(), *SECONDS.end());
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

/// A moment that somebody else has written, if it is one that the wire can carry.
pub(crate) fn known(time: Timestamp) -> Option<Timestamp> {
    SECONDS.contains(&time.seconds()).then_some(time)
}

/// The years 1 to 9999, which are all that protobuf's timestamps may say.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A moment that a client gives. The epoch means that it gives none, as our own answers do.
pub(crate) fn read(field: &str, time: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>> {
    let Some(time) = time.filter(|time| time.seconds != 0 || time.nanos != 0) else { return Ok(None) };
    if !SECONDS.contains(&time.seconds) || !(0..1_000_000_000).contains(&time.nanos) {
        return Err(Error::invalid(format!("{field} is not a time between the years 1 and 9999")));
    }
    Ok(Some(Timestamp(time.seconds * 1_000_000 + i64::from(time.nanos) / 1000)))
}

/// The same with its microseconds.
pub(crate) fn precise(time: Timestamp) -> Option<prost_types::Timestamp> {
    let nanos = i32::try_from(time.0.rem_euclid(1_000_000) * 1000).unwrap_or_default();
    Some(prost_types::Timestamp { seconds: time.seconds(), nanos })
}
