//! Moments on the wire: whole seconds.
use domain::Timestamp;

/// A moment as protobuf has it. An absent one is the epoch, which clients expect to see (KFP API: never omitted).
pub(crate) fn wire(time: impl Into<Option<Timestamp>>) -> Option<prost_types::Timestamp> {
    let seconds = time.into().map_or(0, Timestamp::seconds);
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}
