//! Updates that take all tags away. Protobuf maps cannot tell empty from absent, so requests have a field for it.
use std::collections::HashMap;

use http::HeaderMap;
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};
use serde::{Deserialize, de::IgnoredAny};

/// The field that says it.
const FIELD: &str = "clear_tags";
/// The header by which a client can say it (KFP API, "Headers").
const HEADER: &str = "x-clear-tags";

/// The part of a body that decides about tags.
#[derive(Deserialize)]
struct Tagged {
    tags: HashMap<String, IgnoredAny>,
}

/// Sets the field, if this request has it, and if the header or a body with `"tags": {}` asks for it.
pub(crate) fn clear(message: &mut DynamicMessage, headers: &HeaderMap, body: &[u8]) {
    let Some(field) = message.descriptor().get_field_by_name(FIELD) else { return };
    let by_header = headers.get(HEADER).is_some_and(|value| value == "true");
    if by_header || serde_json::from_slice::<Tagged>(body).is_ok_and(|body| body.tags.is_empty()) {
        message.set_field(&field, Value::Bool(true));
    }
}
