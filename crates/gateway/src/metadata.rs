//! What of an HTTP request's headers becomes gRPC metadata.
use std::{collections::HashMap, time::Duration};

use http::{
    HeaderMap, HeaderName, Method,
    header::{AUTHORIZATION, HeaderValue},
};
use serde::{Deserialize, de::IgnoredAny};
use tonic::{Status, metadata::MetadataMap};

/// Says that an update means to empty an object's tags. Protobuf maps cannot tell empty from absent.
pub(crate) const CLEAR_TAGS: &str = "x-clear-tags";

/// The part of a body that decides about tags.
#[derive(Deserialize)]
struct Tagged {
    tags: HashMap<String, IgnoredAny>,
}

/// The headers to forward: those that always are, and `more`.
pub(crate) fn names(more: Vec<HeaderName>) -> Vec<HeaderName> {
    let always = [AUTHORIZATION, HeaderName::from_static(CLEAR_TAGS), HeaderName::from_static("x-request-id")];
    let mut names = Vec::from(always);
    for name in more {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

pub(crate) fn forwarded(headers: &HeaderMap, names: &[HeaderName]) -> MetadataMap {
    let mut forwarded = HeaderMap::new();
    for name in names {
        for value in headers.get_all(name) {
            forwarded.append(name.clone(), value.clone());
        }
    }
    MetadataMap::from_headers(forwarded)
}

/// Whether this is an update of a pipeline or a version whose body says `"tags": {}`.
pub(crate) fn clears_tags(method: &Method, path: &str, body: &[u8]) -> bool {
    let updates = matches!(*method, Method::PUT | Method::PATCH) && path.starts_with("/apis/v2beta1/pipelines/");
    updates && serde_json::from_slice::<Tagged>(body).is_ok_and(|body| body.tags.is_empty())
}

/// The time that the caller gives the call, from `Grpc-Timeout`: up to eight digits and a unit, as in `1500m`.
///
/// # Errors
/// `InvalidArgument` when the header is there and is something else.
pub(crate) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get("grpc-timeout") else { return Ok(None) };
    match parse_timeout(value) {
        Some(timeout) => Ok(Some(timeout)),
        None => Err(Status::invalid_argument(
            "invalid Grpc-Timeout: one to eight digits and one of H, M, S, m, u, n are expected, as in 10S",
        )),
    }
}

fn parse_timeout(value: &HeaderValue) -> Option<Duration> {
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
