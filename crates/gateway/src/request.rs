//! One request message from a path, a query and a body.
use prost_reflect::{DynamicMessage, Value};
use tonic::Status;

use crate::{
    body,
    fields::scalar,
    query,
    routes::{BodyRule, Route},
};

/// Builds the request of `route`. `captures` are the raw texts of its path parameters, in order.
///
/// The path has the last word: it is what was routed by, so neither body nor query may say otherwise.
///
/// # Errors
/// `InvalidArgument`, naming what was wrong.
pub(crate) fn message(
    route: &Route,
    captures: &[&str],
    query: Option<&str>,
    body: &[u8],
) -> Result<DynamicMessage, Status> {
    let mut message = from_body(route, body)?;
    if let Some(query) = query {
        query::bind(route, query, &mut message)?;
    }
    for (path, text) in route.parameters.iter().zip(captures) {
        let bad = |reason: &str| Status::invalid_argument(format!("path parameter {}: {reason}", path.name()));
        let text = query::percent_decode(text).ok_or_else(|| bad(query::NOT_DECODABLE))?;
        let value = scalar(&path.leaf().kind(), &text).map_err(|reason| bad(&reason))?;
        path.set(&mut message, value);
    }
    Ok(message)
}

fn from_body(route: &Route, bytes: &[u8]) -> Result<DynamicMessage, Status> {
    let input = route.rpc.input();
    // Clients of grpc-gateway may leave the body out: that is a message with nothing set.
    if bytes.trim_ascii().is_empty() {
        return Ok(DynamicMessage::new(input));
    }
    let json = std::str::from_utf8(bytes)
        .map_err(|error| Status::invalid_argument(format!("the request body is not UTF-8: {error}")))?;
    match &route.body {
        BodyRule::None => Ok(DynamicMessage::new(input)),
        BodyRule::Whole => body::read_message(input, json),
        BodyRule::Field(field) => {
            let value = match field.kind().as_message() {
                Some(part) => Value::Message(body::read_message(part.clone(), json)?),
                None => Value::String(body::read_string(json)?),
            };
            let mut message = DynamicMessage::new(input);
            message.set_field(field, value);
            Ok(message)
        }
    }
}
