//! What one route takes and answers.
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value as Field};
use serde_json::{Value, json};

use super::{
    comments,
    schemas::{Schemas, described, of_text},
};
use crate::{
    fields::is_scalar,
    routes::{BodyRule, Route, Rule},
};

/// The operation of a rule, the `nth` of its RPC.
pub(super) fn of_rule(schemas: &mut Schemas, rule: &Rule, nth: usize) -> Value {
    let rpc = &rule.route.rpc;
    let service = rpc.parent_service().name().to_owned();
    let nth = if nth == 1 { String::new() } else { nth.to_string() };
    let id = format!("{service}_{}{nth}", rpc.name());
    let mut answer = schemas.message(&rpc.output());
    if rpc.is_server_streaming() {
        // A line each, as the gateway sends them.
        answer = json!({ "type": "object", "properties": { "result": answer, "error": schemas.status() } });
    }
    let mut operation = described_by(schemas, rpc, &id, &service, answer);
    operation["parameters"] = parameters(schemas, &rule.route).into();
    if is_public(rpc) {
        operation["security"] = json!([]);
    }
    operation
}

/// An operation without parameters: its names, what an RPC's comment says of it, and its answers.
pub(super) fn described_by(schemas: &mut Schemas, rpc: &MethodDescriptor, id: &str, tag: &str, answer: Value) -> Value {
    let (summary, rest) = comments::split(schemas.comments.of(&rpc.parent_file(), rpc.path()));
    let mut operation = described(json!({ "operationId": id, "tags": [tag] }), rest);
    if !summary.is_empty() {
        operation["summary"] = summary.into();
    }
    operation["responses"] = json!({
        "200": { "description": "It is done.", "schema": answer },
        "default": { "description": "It was refused, or it failed.", "schema": schemas.status() },
    });
    operation
}

fn parameters(schemas: &mut Schemas, route: &Route) -> Vec<Value> {
    let mut parameters: Vec<_> =
        route.parameters.iter().map(|path| in_path(schemas, &path.name(), path.leaf())).collect();
    let taken: Vec<_> = route.parameters.iter().map(|path| path.name()).collect();
    let input = route.rpc.input();
    match &route.body {
        BodyRule::Whole => {
            let schema = schemas.message(&input);
            parameters.push(json!({ "name": "body", "in": "body", "required": true, "schema": schema }));
        }
        BodyRule::Field(field) => {
            let schema = body(schemas, route, field);
            let body = json!({ "name": field.name(), "in": "body", "required": true, "schema": schema });
            parameters.push(described(body, schemas.comment(field)));
            Query { schemas, taken: &taken, body: Some(field) }.add("", &mut vec![input], &mut parameters);
        }
        BodyRule::None => Query { schemas, taken: &taken, body: None }.add("", &mut vec![input], &mut parameters),
    }
    parameters
}

pub(super) fn in_path(schemas: &Schemas, name: &str, field: &FieldDescriptor) -> Value {
    let mut parameter = of_text(&field.kind());
    parameter["name"] = name.into();
    parameter["in"] = "path".into();
    parameter["required"] = true.into();
    described(parameter, schemas.comment(field))
}

pub(super) fn in_query(schemas: &Schemas, name: &str, field: &FieldDescriptor) -> Value {
    let mut parameter = of_text(&field.kind());
    if field.is_list() {
        parameter = json!({ "type": "array", "items": parameter, "collectionFormat": "multi" });
    }
    parameter["name"] = name.into();
    parameter["in"] = "query".into();
    parameter["required"] = false.into();
    described(parameter, schemas.comment(field))
}

/// A body that is a field. What of it stands in the path is left out.
fn body(schemas: &mut Schemas, route: &Route, field: &FieldDescriptor) -> Value {
    let Kind::Message(message) = field.kind() else { return of_text(&field.kind()) };
    let in_path = route.parameters.iter().filter(|path| path.head() == field).map(|path| path.leaf());
    let in_path: Vec<_> = in_path.filter(|leaf| *leaf.parent_message() == message).collect();
    if in_path.is_empty() { schemas.message(&message) } else { schemas.properties(&message, &in_path) }
}

/// The fields that a query can fill.
struct Query<'a> {
    schemas: &'a Schemas,
    /// Those that the path fills.
    taken: &'a [String],
    body: Option<&'a FieldDescriptor>,
}

impl Query<'_> {
    /// Adds the fields of the last message of `around`, and of the messages in it that are not in themselves.
    fn add(&self, prefix: &str, around: &mut Vec<MessageDescriptor>, parameters: &mut Vec<Value>) {
        let Some(message) = around.last().cloned() else { return };
        for field in message.fields().filter(|field| Some(field) != self.body) {
            let name = format!("{prefix}{}", field.name());
            match field.kind() {
                kind if is_scalar(&kind) && !self.taken.contains(&name) => {
                    parameters.push(in_query(self.schemas, &name, &field));
                }
                Kind::Message(inner)
                    if !field.is_list()
                        && !field.is_map()
                        && inner.package_name() != "google.protobuf"
                        && !around.contains(&inner) =>
                {
                    around.push(inner);
                    self.add(&format!("{name}."), around, parameters);
                    around.pop();
                }
                _ => {}
            }
        }
    }
}

/// Whether the access rule lets everybody call the RPC.
fn is_public(rpc: &MethodDescriptor) -> bool {
    let Some(rule) = rpc.parent_pool().get_extension_by_name("bulkhead.access.v1.rule") else { return false };
    let options = rpc.options();
    let rule = options.get_extension(&rule);
    let checks = rule.as_message().and_then(|rule| rule.get_field_by_name("checks"));
    let checks = checks.iter().filter_map(|checks| checks.as_list()).flatten().filter_map(Field::as_message);
    let mut public = checks.filter_map(|check| check.get_field_by_name("public"));
    public.any(|public| public.as_bool() == Some(true))
}
