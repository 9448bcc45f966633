//! The query string: percent-decoding, and binding its parameters to fields.
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value};
use tonic::Status;

use crate::{
    fields::{FieldPath, scalar},
    routes::{BodyRule, Route},
};

/// What the query says about one field, however often and however spelled.
struct Parameter {
    path: FieldPath,
    texts: Vec<String>,
}

/// Sets every field that the query names. Parameters that name no field are ignored, as are those that would reach
/// into the body.
///
/// # Errors
/// `InvalidArgument`, naming the parameter, for a value that is not of the field's type or not decodable.
pub(crate) fn bind(route: &Route, query: &str, message: &mut DynamicMessage) -> Result<(), Status> {
    match &route.body {
        BodyRule::Whole => Ok(()),
        BodyRule::Field(field) => bind_but(Some(field), query, message),
        BodyRule::None => bind_but(None, query, message),
    }
}

/// The same for a request whose body is the field `body`.
pub(crate) fn bind_but(
    body: Option<&FieldDescriptor>,
    query: &str,
    message: &mut DynamicMessage,
) -> Result<(), Status> {
    let bad = |name: &str, reason: &str| Status::invalid_argument(format!("query parameter {name}: {reason}"));
    let input = message.descriptor();
    let mut parameters = BTreeMap::<String, Parameter>::new();
    for pair in query.split('&') {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(path) = unescape(name).and_then(|name| FieldPath::resolve(&input, &name)) else {
            continue;
        };
        if body == Some(path.head()) {
            continue;
        }
        let name = path.name();
        let text = unescape(text).ok_or_else(|| bad(&name, NOT_DECODABLE))?;
        parameters.entry(name).or_insert_with(|| Parameter { path, texts: Vec::new() }).texts.push(text);
    }
    for (name, parameter) in parameters {
        if let Some(value) = parameter.value().map_err(|reason| bad(&name, &reason))? {
            parameter.path.set(message, value);
        }
    }
    Ok(())
}

impl Parameter {
    /// The field's value; None if the parameter is there and says nothing, as in `page_token=&page_size=`.
    fn value(&self) -> Result<Option<Value>, String> {
        let field = self.path.leaf();
        let kind = field.kind();
        let said = self.texts.iter().filter(|text| !text.is_empty() || matches!(kind, Kind::String));
        if field.is_list() {
            let values = said.map(|text| scalar(&kind, text)).collect::<Result<Vec<_>, _>>()?;
            return Ok(Some(Value::List(values)));
        }
        let said: Vec<_> = said.collect();
        match said.as_slice() {
            [] => Ok(None),
            [text] => scalar(&kind, text).map(Some),
            more => Err(format!("given {} times, but takes one value", more.len())),
        }
    }
}

pub(crate) const NOT_DECODABLE: &str = "a % must begin a two-digit hexadecimal escape, and the text must be UTF-8";

/// A form-encoded text: `+` is a space, `%XX` a byte.
fn unescape(text: &str) -> Option<String> {
    percent_decode(&text.replace('+', " "))
}

/// Decodes `%XX`. None for a `%` without its two digits, and for bytes that are not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let escapes_are_whole = text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes();
        digits.len() >= 2 && digits[0].is_ascii_hexdigit() && digits[1].is_ascii_hexdigit()
    });
    if !escapes_are_whole {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}
