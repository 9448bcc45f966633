//! The inputs of a task and the outputs of a run, out of what there is (`resolve.go` of KFP, in words in its docs).
use crate::{Artifact, Inputs, Outputs, Plan, PlannedTask, State, constant::Constants};
use serde_json::{Map, Value};
use spec::{InputParameter, InputParameterDef, ParameterType};
use std::collections::BTreeMap;

/// What a task gets. All that it depends on has succeeded.
///
/// # Errors
/// A message for the user that names the input.
pub(crate) fn inputs(plan: &Plan, task: &PlannedTask, state: &State) -> Result<Inputs, String> {
    Ok(Inputs { parameters: parameters(plan, task, state)?, artifacts: artifacts(task, state)? })
}

/// What a run gives, as far as its tasks gave it.
pub(crate) fn run_outputs(plan: &Plan, state: &State) -> Outputs {
    let parameters = plan.outputs.parameters.iter().filter_map(|(name, output)| {
        let from = output.value_from_parameter.as_ref()?;
        let value = state.outputs(&from.producer_subtask)?.parameters.get(&from.output_parameter_key)?;
        Some((name.clone(), value.clone()))
    });
    let artifacts = plan.outputs.artifacts.iter().filter_map(|(name, output)| {
        let from = output.artifact_selectors.first()?;
        let artifacts = state.outputs(&from.producer_subtask)?.artifacts.get(&from.output_artifact_key)?;
        Some((name.clone(), artifacts.clone()))
    });
    Outputs { parameters: parameters.collect(), artifacts: artifacts.collect() }
}

fn parameters(plan: &Plan, task: &PlannedTask, state: &State) -> Result<Map<String, Value>, String> {
    let definitions = &task.component.input_definitions.parameters;
    let named = |name: &str, message: String| format!("input parameter {name:?}: {message}");

    // Constants come second, since they may contain what the others are.
    let mut values = Map::new();
    for (name, input) in &task.inputs.parameters {
        let value = value_of(plan, state, input).map_err(|message| named(name, message))?;
        match value {
            // An input that nobody declared exists to be contained in others, so it may be missing.
            Some(Value::Null) if definitions.get(name).is_none_or(|definition| definition.is_optional) => {}
            Some(Value::Null) => return Err(named(name, "it is null, and the component requires a value".to_owned())),
            Some(value) => drop(values.insert(name.clone(), value)),
            None => {}
        }
    }
    let constants = Constants { context: &plan.context, task, values: &values, spent: Default::default() };
    let mut resolved = Vec::new();
    for (name, input) in &task.inputs.parameters {
        let Some(constant) = input.runtime_value.as_ref().and_then(|value| value.constant.as_ref()) else { continue };
        resolved.push((name.clone(), constants.resolve(constant).map_err(|message| named(name, message))?));
    }
    for (name, value) in resolved {
        match definitions.get(&name) {
            Some(definition) if value.is_null() && !definition.is_optional => {
                return Err(named(&name, "it is null, and the component requires a value".to_owned()));
            }
            _ if value.is_null() => {}
            _ => drop(values.insert(name, value)),
        }
    }

    for (name, definition) in definitions {
        match values.get_mut(name) {
            Some(value) => fit(definition, value).map_err(|message| named(name, message))?,
            None if definition.is_optional || definition.default_value.is_some() => {}
            None => {
                return Err(named(name, format!("a {} is required, and nothing gives it", definition.parameter_type)));
            }
        }
    }
    values.values_mut().for_each(spec::integral);
    Ok(values)
}

/// The value of an input that is not a constant; none for constants.
fn value_of(plan: &Plan, state: &State, input: &InputParameter) -> Result<Option<Value>, String> {
    if let Some(name) = &input.component_input_parameter {
        let value = plan.parameters.get(name);
        return value.cloned().map(Some).ok_or_else(|| format!("the pipeline has no parameter {name:?}"));
    }
    let Some(from) = &input.task_output_parameter else { return Ok(None) };
    let outputs = state.outputs(&from.producer_task);
    let value = outputs.and_then(|outputs| outputs.parameters.get(&from.output_parameter_key));
    value.cloned().map(Some).ok_or_else(|| {
        format!("task {:?} gave no output parameter {:?}", from.producer_task, from.output_parameter_key)
    })
}

/// Makes a value what the component declares: where text is wanted any value becomes text; else kinds must match.
fn fit(definition: &InputParameterDef, value: &mut Value) -> Result<(), String> {
    let wanted = definition.parameter_type;
    if wanted == ParameterType::String && !value.is_string() {
        *value = Value::String(spec::text(value));
    }
    if !wanted.fits(value) {
        return Err(format!("{wanted} is wanted, but it is {}", spec::kind(value)));
    }
    if definition.literals.is_empty() || definition.literals.iter().any(|literal| spec::same(literal, value)) {
        return Ok(());
    }
    let literals: Vec<_> = definition.literals.iter().map(Value::to_string).collect();
    Err(format!("it is none of the allowed values {}", literals.join(", ")))
}

fn artifacts(task: &PlannedTask, state: &State) -> Result<BTreeMap<String, Vec<Artifact>>, String> {
    let mut artifacts = BTreeMap::new();
    for (name, input) in &task.inputs.artifacts {
        let Some(from) = &input.task_output_artifact else { continue };
        let outputs = state.outputs(&from.producer_task);
        let Some(found) = outputs.and_then(|outputs| outputs.artifacts.get(&from.output_artifact_key)) else {
            return Err(format!(
                "input artifact {name:?}: task {:?} gave no output artifact {:?}",
                from.producer_task, from.output_artifact_key
            ));
        };
        artifacts.insert(name.clone(), found.clone());
    }
    for (name, definition) in &task.component.input_definitions.artifacts {
        if !definition.is_optional && !artifacts.contains_key(name) {
            return Err(format!("input artifact {name:?}: it is required, and nothing gives it"));
        }
    }
    Ok(artifacts)
}
