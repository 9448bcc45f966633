//! What an importer makes known.
use crate::{Import, Inputs, Plan, PlannedTask, constant::Constants};
use serde_json::Value;
use spec::ImporterSpec;

/// Works out the URI and the facts of an artifact that exists elsewhere.
///
/// # Errors
/// A message for the user, if the URI is missing or a placeholder has no value.
pub(crate) fn of(plan: &Plan, task: &PlannedTask, importer: &ImporterSpec, inputs: &Inputs) -> Result<Import, String> {
    let constants = Constants::new(plan, task, &inputs.parameters);
    let uri = match (&importer.artifact_uri.runtime_parameter, &importer.artifact_uri.constant) {
        (Some(name), _) => inputs.parameters.get(name).cloned().unwrap_or_default(),
        (None, Some(constant)) => constants.resolve(constant)?,
        (None, None) => Value::Null,
    };
    let Value::String(uri) = uri else {
        return Err(format!("the URI to import is {}, not a string", spec::kind(&uri)));
    };
    if uri.is_empty() {
        return Err("the URI to import is empty".to_owned());
    }
    let metadata = importer.metadata.iter().map(|(key, value)| {
        // Upstream keeps them as they are written.
        let value = if plan.rules.strict_kfp { value.clone() } else { fact(&constants, value)? };
        Ok((key.clone(), value))
    });
    let output = task.component.output_definitions.artifacts.keys().next();
    Ok(Import {
        output: output.cloned().ok_or("the importer has no output artifact")?,
        uri,
        schema: importer.type_schema.clone(),
        metadata: metadata.collect::<Result<_, String>>()?,
        reimport: importer.reimport,
        to_workspace: importer.download_to_workspace,
    })
}

/// A fact that is nothing but one input is that input, whatever its type.
fn fact(constants: &Constants<'_>, value: &Value) -> Result<Value, String> {
    match value.as_str().and_then(|text| constants.input_alone(text)) {
        Some(input) => Ok(input.clone()),
        None => constants.resolve(value),
    }
}
