//! What decides the result of a task, as one number: tasks with the same fingerprint give the same.
//!
//! The fields and their text are those of KFP's `CacheKey` as its driver hashes it, so that what counts as a
//! difference there counts here. The names of artifacts are their ids in the store.
use crate::{Inputs, PlannedTask};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The fingerprint of a container with these inputs; none if the pipeline does not want results of earlier runs.
pub(crate) fn of(task: &PlannedTask, inputs: &Inputs, workspace: Option<&str>) -> Option<String> {
    if !task.caching.enable_cache {
        return None;
    }
    let key = &task.caching.cache_key;
    if !key.is_empty() {
        // The author says what makes a difference.
        let prefix = if task.component_name.is_empty() { "" } else { "\0" };
        return Some(hex(format!("{}{prefix}{key}", task.component_name).as_bytes()));
    }
    let container = task.container()?;
    let definitions = &task.component.output_definitions;
    let artifacts = definitions.artifacts.iter().map(|(name, definition)| {
        let fields = json!({"name": name, "type": definition.artifact_type, "metadata": definition.metadata});
        (name.clone(), filled(fields))
    });
    let names = inputs.artifacts.iter().map(|(name, artifacts)| {
        let ids: Vec<_> = artifacts.iter().map(|artifact| &artifact.id).collect();
        (name.clone(), json!({"artifactNames": ids}))
    });
    let types = definitions.parameters.iter();
    let types = types.map(|(name, definition)| (name.clone(), json!(definition.parameter_type)));
    let claims: BTreeSet<_> = task.kubernetes.claims().chain(workspace.map(str::to_owned)).collect();
    let arguments = [container.command.as_slice(), container.args.as_slice()].concat();
    let whole = filled(json!({
        "inputArtifactNames": Map::from_iter(names),
        "inputParameterValues": inputs.parameters,
        "outputArtifactsSpec": Map::from_iter(artifacts),
        "outputParametersSpec": Map::from_iter(types),
        "containerSpec": filled(json!({
            "image": container.image,
            "cmdArgs": arguments,
            "pvcNames": claims,
        })),
    }));
    Some(hex(escaped(&whole).as_bytes()))
}

/// Leaves out what is empty, as proto3 JSON does.
fn filled(fields: Value) -> Value {
    let Value::Object(fields) = fields else { return fields };
    let empty = |value: &Value| match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        other => other.is_null(),
    };
    Value::Object(fields.into_iter().filter(|(_, value)| !empty(value)).collect())
}

/// JSON as Go writes it: sorted, without spaces, and with some letters escaped that HTML minds.
fn escaped(value: &impl Serialize) -> String {
    let text = json!(value).to_string();
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out += &format!("\\u{:04x}", u32::from(letter)),
            other => out.push(other),
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
