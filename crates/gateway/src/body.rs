//! Messages as JSON, in both directions.
use std::io;

use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::Deserialize as _;
use serde_json::{
    Deserializer, Serializer,
    ser::{CompactFormatter, Formatter},
};
use serde_path_to_error::Track;
use tonic::Status;

use crate::strict;

/// Reads a message from protobuf's JSON form. Unknown and repeated fields, wrong types and anything after the value
/// are refused; so is nesting that the inner call could not carry.
///
/// # Errors
/// `InvalidArgument` that names the field and says where in the text.
pub(crate) fn read_message(descriptor: MessageDescriptor, json: &str) -> Result<DynamicMessage, Status> {
    let mut reader = Deserializer::from_str(json);
    let mut track = Track::new();
    let checked = strict::check(&descriptor, serde_path_to_error::Deserializer::new(&mut reader, &mut track));
    checked.and_then(|()| reader.end()).map_err(|error| refusal(track, &error))?;

    let mut reader = Deserializer::from_str(json);
    let mut track = Track::new();
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
    DynamicMessage::deserialize_with_options(descriptor, tracked, &options).map_err(|error| refusal(track, &error))
}

/// Reads a body that is one JSON string.
///
/// # Errors
/// `InvalidArgument` for anything else.
pub(crate) fn read_string(json: &str) -> Result<String, Status> {
    let mut reader = Deserializer::from_str(json);
    let text = String::deserialize(&mut reader);
    text.and_then(|text| reader.end().map(|()| text))
        .map_err(|error| Status::invalid_argument(format!("the request body must be one JSON string: {error}")))
}

/// Writes a message as KFP's clients expect it: names as in the `.proto`, what is unset left out.
pub(crate) fn write(message: &DynamicMessage) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::new();
    let options = SerializeOptions::new().use_proto_field_name(true).skip_default_fields(true);
    message.serialize_with_options(&mut Serializer::with_formatter(&mut json, WholeNumbers), &options)?;
    Ok(json)
}

/// Writes doubles as protobuf's JSON does: whole ones without a fraction, so that the `1` that a client put into a
/// Struct does not come back as `1.0`.
struct WholeNumbers;

impl Formatter for WholeNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        // Up to here doubles have all whole numbers.
        const LARGEST: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() <= LARGEST {
            return write!(writer, "{value:.0}");
        }
        CompactFormatter.write_f64(writer, value)
    }
}

fn refusal(track: Track, error: &serde_json::Error) -> Status {
    let path = track.path().to_string();
    Status::invalid_argument(match path.as_str() {
        "." => format!("the request body: {error}"),
        field => format!("the request body: {field}: {error}"),
    })
}

#[cfg(test)]
mod tests;
