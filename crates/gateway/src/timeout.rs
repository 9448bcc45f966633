//! How long a call may take, by the header `Grpc-Timeout`.
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tonic::Status;

/// The time that the caller gives the call, from `Grpc-Timeout`: up to eight digits and a unit, as in `1500m`.
///
/// # Errors
/// `InvalidArgument` when the header is there and is something else.
pub fn read(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get("grpc-timeout") else { return Ok(None) };
    match parse(value) {
        Some(timeout) => Ok(Some(timeout)),
        None => Err(Status::invalid_argument(
            "invalid Grpc-Timeout: one to eight digits and one of H, M, S, m, u, n are expected, as in 10S",
        )),
    }
}

fn parse(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}
