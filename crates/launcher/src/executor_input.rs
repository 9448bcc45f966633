//! `ExecutorInput`, the message in which a task reads its inputs and where to leave its outputs.
use crate::{
    Error, TaskContext,
    folders::{Folders, check_name, text},
};
use engine::Artifact;
use serde_json::{Map, Value, json};

/// The inputs with the component's defaults for what was not given.
pub(crate) fn parameters(ctx: &TaskContext<'_>) -> Map<String, Value> {
    let mut parameters = ctx.inputs.parameters.clone();
    for (name, definition) in &ctx.task.component.input_definitions.parameters {
        let default = definition.default_value.as_ref().filter(|value| !value.is_null());
        if let (Some(default), false) = (default, parameters.contains_key(name)) {
            parameters.insert(name.clone(), default.clone());
        }
    }
    parameters.values_mut().for_each(spec::integral);
    parameters
}

/// Where an output artifact goes, and what is known of it before the task ran.
pub(crate) fn provision(ctx: &TaskContext<'_>, name: &str) -> Result<Artifact, Error> {
    let definition = ctx.task.component.output_definitions.artifacts.get(name);
    let definition = definition.ok_or_else(|| Error::task(format!("there is no output artifact {name:?}")))?;
    check_name(name).map_err(|error| error.at(format_args!("output artifact {name:?}")))?;
    Ok(Artifact {
        name: name.to_owned(),
        uri: text(&Folders(ctx.dir).artifacts().join(name))?,
        schema: definition.artifact_type.clone(),
        metadata: definition.metadata.clone(),
        ..Artifact::default()
    })
}

/// The file that an output parameter goes to.
pub(crate) fn output_file(ctx: &TaskContext<'_>, name: &str) -> Result<String, Error> {
    check_name(name).map_err(|error| error.at(format_args!("output parameter {name:?}")))?;
    text(&Folders(ctx.dir).outputs().join(name))
}

/// The whole message. As in proto3 JSON, empty maps are left out.
pub(crate) fn build(ctx: &TaskContext<'_>, parameters: &Map<String, Value>) -> Result<Value, Error> {
    let inputs = ctx.inputs.artifacts.iter().map(|(name, list)| (name.clone(), list_json(list)));
    let defined = &ctx.task.component.output_definitions;
    let mut files = Map::new();
    for name in defined.parameters.keys() {
        files.insert(name.clone(), json!({"outputFile": output_file(ctx, name)?}));
    }
    let mut artifacts = Map::new();
    for name in defined.artifacts.keys() {
        artifacts.insert(name.clone(), list_json(&[provision(ctx, name)?]));
    }
    let inputs = filled([("parameterValues", parameters.clone()), ("artifacts", inputs.collect())]);
    let mut outputs = filled([("parameters", files), ("artifacts", artifacts)]);
    outputs.insert("outputFile".into(), text(&Folders(ctx.dir).executor_output())?.into());
    Ok(json!({"inputs": inputs, "outputs": outputs}))
}

/// A `RuntimeArtifact`.
pub(crate) fn artifact_json(artifact: &Artifact) -> Value {
    let mut schema = json!(artifact.schema);
    if artifact.schema == Default::default() {
        // The SDK's executor cannot do without a type.
        schema = json!({"schemaTitle": "system.Artifact"});
    }
    json!({"name": artifact.name, "uri": artifact.uri, "type": schema, "metadata": artifact.metadata})
}

fn list_json(artifacts: &[Artifact]) -> Value {
    json!({"artifacts": artifacts.iter().map(artifact_json).collect::<Vec<_>>()})
}

fn filled<const N: usize>(maps: [(&str, Map<String, Value>); N]) -> Map<String, Value> {
    let full = maps.into_iter().filter(|(_, map)| !map.is_empty());
    full.map(|(name, map)| (name.to_owned(), Value::Object(map))).collect()
}
