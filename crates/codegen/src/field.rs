//! Field paths of a request, such as `run.experiment_id`, as Rust expressions.
use crate::names::{camel, snake};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The expression is a `&str`.
    Text,
    /// The expression is a slice of `String`s.
    Texts,
    /// The expression is a slice of messages.
    List,
    /// The expression is an `Option` of a message.
    Message,
}

/// `path` as an expression over `req: &Request`, of the wanted shape.
pub(crate) fn access(method: &MethodDescriptor, path: &str, want: Shape) -> Result<String, String> {
    if method.is_client_streaming() {
        return Err("is client streaming: no field is known before the stream starts".into());
    }
    let mut at: MessageDescriptor = method.input();
    let mut rust = "Some(req)".to_owned();
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        let field =
            at.get_field_by_name(step).ok_or_else(|| format!("`{path}`: {} has no field `{step}`", at.full_name()))?;
        rust.push_str(&option(&at, &field));
        let last = steps.peek().is_none();
        match (field.kind(), last, field.is_list() || field.is_map()) {
            (Kind::Message(_), true, _) if field.is_list() && want == Shape::List => {
                return Ok(rust + ".map(|v| v.as_slice()).unwrap_or_default()");
            }
            (Kind::Message(_), true, false) if want == Shape::Message => return Ok(rust),
            (Kind::String, true, false) if want == Shape::Text => {
                return Ok(rust + ".map(|v| v.as_str()).unwrap_or_default()");
            }
            (Kind::String, true, true) if want == Shape::Texts => {
                return Ok(rust + ".map(|v| v.as_slice()).unwrap_or_default()");
            }
            (Kind::Message(next), false, false) => at = next,
            (_, false, _) => return Err(format!("`{path}`: `{step}` is not a single message")),
            (_, true, _) => {
                let wanted = match want {
                    Shape::Text => "a string",
                    Shape::Texts => "a list of strings",
                    Shape::List => "a list of references",
                    Shape::Message => "a reference key",
                };
                return Err(format!("`{path}`: `{step}` is not {wanted}"));
            }
        }
    }
    Err("names an empty field path".into())
}

/// The name of the value of an enum field of the request, as an expression over `req: &Request`.
pub(crate) fn enum_name(method: &MethodDescriptor, name: &str) -> Result<String, String> {
    let field = method.input().get_field_by_name(name);
    match field.map(|field| field.kind()) {
        Some(Kind::Enum(_)) => Ok(format!("req.{}().as_str_name()", snake(name))),
        Some(_) => Err(format!("`{name}` is not an enum")),
        None => Err(format!("{} has no field `{name}`", method.input().full_name())),
    }
}

/// Whether a path leads to a list of ids.
pub(crate) fn is_list(method: &MethodDescriptor, path: &str) -> bool {
    access(method, path, Shape::Texts).is_ok()
}

/// One step. In prost's output message fields are `Option`, `optional` scalars are `Option`, and a oneof is an
/// `Option` of an enum.
fn option(at: &MessageDescriptor, field: &FieldDescriptor) -> String {
    let name = snake(field.name());
    if let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
        let modules: Vec<String> = at.full_name().split('.').map(snake).collect();
        let variant = format!("crate::{}::{}::{}", modules.join("::"), camel(oneof.name()), camel(field.name()));
        return format!(
            ".and_then(|m| match &m.{} {{ Some({variant}(v)) => Some(v), _ => None }})",
            snake(oneof.name())
        );
    }
    if !field.is_list() && !field.is_map() && field.supports_presence() {
        return format!(".and_then(|m| m.{name}.as_ref())");
    }
    format!(".map(|m| &m.{name})")
}
