//! Types of parameters: what can never be what is wanted. As at run time, where text is wanted anything becomes text,
//! and whether a number is whole is not looked at.
use super::{Check, Fault};
use crate::{ComponentSpec, InputParameterDef, ParameterType, kind, same, text, yaml::clip};
use serde_json::Value;

/// Checks the literals and defaults of a component's inputs.
pub(super) fn check_definitions(component: &ComponentSpec) -> Check {
    component.input_definitions.parameters.iter().try_for_each(|(name, definition)| {
        check_definition(definition).map_err(|fault| fault.at(name).at("inputDefinitions.parameters"))
    })
}

/// Checks a constant against the input that it is for.
pub(super) fn check_constant(definition: &InputParameterDef, constant: &Value) -> Check {
    match constant {
        Value::Null if definition.is_optional || definition.default_value.is_some() => Ok(()),
        // What it stands for may be of any type.
        Value::String(text) if is_placeholder(text) => Ok(()),
        constant if !takes(definition.parameter_type, constant) => Err(unfit(definition.parameter_type, constant)),
        Value::String(text) if text.contains("{{$") => Ok(()),
        constant => check_literals(definition, constant),
    }
}

/// Checks whether values of one type can be what another wants.
pub(super) fn check_types(wanted: ParameterType, given: ParameterType, what: impl FnOnce() -> String) -> Check {
    let unknown = wanted == ParameterType::Unspecified || given == ParameterType::Unspecified;
    if wanted == ParameterType::String || unknown || class(wanted) == class(given) {
        return Ok(());
    }
    Err(Fault::new(format!("type {wanted} is wanted, but {} is of type {given}", what())))
}

/// Types whose values are of one kind, by one of them.
pub(super) fn class(of: ParameterType) -> ParameterType {
    match of {
        ParameterType::NumberInteger => ParameterType::NumberDouble,
        ParameterType::TaskFinalStatus | ParameterType::TaskConfig => ParameterType::Struct,
        other => other,
    }
}

fn check_definition(definition: &InputParameterDef) -> Check {
    let wanted = definition.parameter_type;
    if let Some(literal) = definition.literals.iter().find(|literal| !takes(wanted, literal)) {
        return Err(unfit(wanted, literal).at("literals"));
    }
    match &definition.default_value {
        None | Some(Value::Null) => Ok(()),
        // The SDK takes `x: dict = []` and `x: list = "[]"`: neither keeps a run with a value from going well.
        Some(Value::Array(_) | Value::Object(_) | Value::String(_)) if is_container(wanted) => Ok(()),
        Some(value) if !takes(wanted, value) => Err(unfit(wanted, value)),
        Some(value) => check_literals(definition, value),
    }
    .map_err(|fault| fault.at("defaultValue"))
}

fn is_container(wanted: ParameterType) -> bool {
    matches!(wanted, ParameterType::List | ParameterType::Struct)
}

fn takes(wanted: ParameterType, value: &Value) -> bool {
    match wanted {
        ParameterType::String => !value.is_null(),
        ParameterType::Unspecified => true,
        wanted => wanted.fits(value),
    }
}

fn check_literals(definition: &InputParameterDef, value: &Value) -> Check {
    let as_text = definition.parameter_type == ParameterType::String;
    let is = |literal: &Value| if as_text { text(literal) == text(value) } else { same(literal, value) };
    if definition.literals.is_empty() || definition.literals.iter().any(is) {
        return Ok(());
    }
    let literals: Vec<_> = definition.literals.iter().map(Value::to_string).collect();
    let (value, literals) = (clip(&value.to_string()), clip(&literals.join(", ")));
    Err(Fault::new(format!("{value} is not one of the allowed values: {literals}")))
}

fn unfit(wanted: ParameterType, value: &Value) -> Fault {
    Fault::new(format!("type {wanted} is wanted, but it is {}", kind(value)))
}

/// Whether a text is a placeholder and nothing else.
fn is_placeholder(text: &str) -> bool {
    text.starts_with("{{$") && text.find("}}").is_some_and(|end| end + 2 == text.len())
}
