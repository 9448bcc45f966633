//! The parameters that a run is started with.
use crate::{InputParameterDef, ParameterType, PipelineSpec, kind, same, yaml::clip};
use domain::{Error, Result};
use serde_json::{Map, Value};

/// Checks the parameters of a run against the inputs that the pipeline declares (KFP's rules at run creation): what
/// is needed is there, what is there is known and of the right kind, and is among the literals where there are some.
///
/// # Errors
/// `InvalidArgument`, naming the parameter, what is wanted and what came.
pub fn check_parameters(pipeline: &PipelineSpec, parameters: &Map<String, Value>) -> Result<()> {
    let declared = &pipeline.root.input_definitions.parameters;
    let unknown: Vec<_> =
        parameters.keys().filter(|name| !declared.contains_key(*name)).map(|name| clip(name)).collect();
    if !unknown.is_empty() {
        let known: Vec<_> = declared.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { clip(&known.join(", ")) };
        return Err(Error::invalid(format!(
            "the pipeline has no parameters {}; it has: {known}",
            clip(&unknown.join(", "))
        )));
    }
    for (name, definition) in declared {
        check(definition, parameters.get(name))
            .map_err(|error| error.at(format_args!("parameter {:?}", clip(name))))?;
    }
    Ok(())
}

fn check(definition: &InputParameterDef, value: Option<&Value>) -> Result<()> {
    let wanted = definition.parameter_type;
    let Some(value) = value else {
        if definition.is_optional || definition.default_value.is_some() {
            return Ok(());
        }
        return Err(Error::invalid(format!("a value of type {wanted} is required, and none was given")));
    };
    if matches!(wanted, ParameterType::Unspecified | ParameterType::TaskFinalStatus) {
        return Err(Error::invalid(format!("a parameter of type {wanted} cannot be given to a run")));
    }
    if !wanted.fits(value) {
        return Err(Error::invalid(format!("type {wanted} is wanted, but {} was given", kind(value))));
    }
    if definition.literals.is_empty() || definition.literals.iter().any(|literal| same(literal, value)) {
        return Ok(());
    }
    let literals: Vec<_> = definition.literals.iter().map(Value::to_string).collect();
    Err(Error::invalid(format!(
        "{} is not one of the allowed values: {}",
        clip(&value.to_string()),
        clip(&literals.join(", "))
    )))
}
