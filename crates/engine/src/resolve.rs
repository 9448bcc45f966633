//! The inputs of a task, out of what there is (section "DAG driver" and "input resolution" of KFP's driver).
mod final_status;
pub(crate) mod outputs;

use crate::{
    Artifact, Body, Inputs, NodeId, PlannedTask, Status, Strategy, constant::Constants, task_config, tree::Tree,
};
use serde_json::{Map, Value};
use spec::{InputParameter, InputParameterDef, ParameterType};
use std::collections::BTreeMap;

/// The images of components that have no command and stand for work on volume claims (kfp-kubernetes, `CreatePVC`).
const CLAIMS: &str = "argostub/";

/// A task that is about to start, with the node that it is in.
pub(crate) struct Resolve<'a> {
    pub(crate) tree: Tree<'a, 'a>,
    pub(crate) parent: NodeId,
    pub(crate) task: &'a PlannedTask,
}

impl Resolve<'_> {
    /// What the task gets. All that it depends on has ended.
    ///
    /// # Errors
    /// A message for the user that names the input.
    pub(crate) fn inputs(&self) -> Result<Inputs, String> {
        let mut parameters = self.given()?;
        self.constants(&mut parameters)?;
        self.select(&mut parameters)?;
        if matches!(self.task.body, Body::Dag(_)) {
            self.fill(&mut parameters);
        }
        let mut inputs = Inputs { parameters, artifacts: self.artifacts()? };
        self.check(&mut inputs)?;
        Ok(inputs)
    }

    /// What the task needs that only a cluster has, in words.
    pub(crate) fn lacking(&self) -> Option<String> {
        if self.task.container().is_some_and(|container| container.image.starts_with(CLAIMS)) {
            return Some("a volume claim to be made or removed".to_owned());
        }
        self.task.kubernetes.required(|parameter| self.value_of("", parameter).ok().flatten())
    }

    fn definition(&self, name: &str) -> Option<&InputParameterDef> {
        self.task.component.input_definitions.parameters.get(name)
    }

    /// Whether the task can do without an input. One that nobody declared exists to be contained in others.
    fn can_miss(&self, name: &str) -> bool {
        self.definition(name).is_none_or(|definition| definition.is_optional || definition.default_value.is_some())
    }

    /// The values that come from elsewhere. Constants come second, since they may contain what these are.
    fn given(&self) -> Result<Map<String, Value>, String> {
        let mut values = Map::new();
        for (name, input) in &self.task.inputs.parameters {
            let value = self.value_of(name, input).map_err(|message| named(name, message))?;
            self.put(&mut values, name, value)?;
        }
        Ok(values)
    }

    fn put(&self, values: &mut Map<String, Value>, name: &str, value: Option<Value>) -> Result<(), String> {
        match value {
            Some(Value::Null) if !self.can_miss(name) => {
                Err(named(name, "it is null, and the component requires a value".to_owned()))
            }
            Some(Value::Null) | None => Ok(()),
            Some(value) => {
                values.insert(name.to_owned(), value);
                Ok(())
            }
        }
    }

    /// The value of an input that is not a constant; none for constants, and for what may be missing and is.
    fn value_of(&self, name: &str, input: &InputParameter) -> Result<Option<Value>, String> {
        if let Some(from) = &input.component_input_parameter {
            let value = self.tree.parameter(self.parent, from);
            let missing = || format!("what it is in has no input parameter {from:?}");
            return match value {
                None if self.can_miss(name) => Ok(None),
                value => value.cloned().map(Some).ok_or_else(missing),
            };
        }
        if let Some(from) = &input.task_final_status {
            return Ok(Some(self.final_status(&from.producer_task)));
        }
        let Some(from) = &input.task_output_parameter else { return Ok(None) };
        let value =
            self.outputs(&from.producer_task).and_then(|outputs| outputs.parameters.get(&from.output_parameter_key));
        match value {
            None if self.task.strategy == Strategy::Completed && self.can_miss(name) => Ok(None),
            None => Err(self.no_output(&from.producer_task, "parameter", &from.output_parameter_key)),
            value => Ok(value.cloned()),
        }
    }

    fn outputs(&self, producer: &str) -> Option<&crate::Outputs> {
        self.tree.state.get(self.tree.child(self.parent, producer)?).outputs.as_ref()
    }

    fn no_output(&self, producer: &str, what: &str, key: &str) -> String {
        let status = self.tree.child(self.parent, producer).map(|id| self.tree.state.get(id).status);
        let why = match status {
            Some(Status::Skipped) => ", which was skipped,",
            Some(Status::Failed) => ", which failed,",
            _ => "",
        };
        format!("task {producer:?}{why} gave no output {what} {key:?}")
    }

    fn constants(&self, values: &mut Map<String, Value>) -> Result<(), String> {
        let constants = Constants::new(self.tree.plan, self.task, values);
        let mut resolved = Vec::new();
        for (name, input) in &self.task.inputs.parameters {
            let Some(constant) = input.runtime_value.as_ref().and_then(|value| value.constant.as_ref()) else {
                continue;
            };
            resolved.push((name, constants.resolve(constant).map_err(|message| named(name, message))?));
        }
        for (name, value) in resolved {
            self.put(values, name, Some(value))?;
        }
        Ok(())
    }

    /// Takes out of values the parts that are wanted.
    fn select(&self, values: &mut Map<String, Value>) -> Result<(), String> {
        for (name, input) in &self.task.inputs.parameters {
            let selector = &input.parameter_expression_selector;
            let (false, Some(value)) = (selector.is_empty(), values.get(name)) else { continue };
            let part = spec::select(selector, value).map_err(|message| named(name, message))?;
            values.remove(name);
            self.put(values, name, Some(part))?;
        }
        Ok(())
    }

    /// What the tasks inside find where the task says nothing: the default, or null where there may be nothing.
    fn fill(&self, values: &mut Map<String, Value>) {
        for (name, definition) in &self.task.component.input_definitions.parameters {
            if !values.contains_key(name) && !self.is_item(name) && self.can_miss(name) {
                values.insert(name.clone(), definition.default_value.clone().unwrap_or_default());
            }
        }
    }

    fn is_item(&self, name: &str) -> bool {
        self.task.iterator.as_ref().is_some_and(|iterator| iterator.item == name)
    }

    fn check(&self, inputs: &mut Inputs) -> Result<(), String> {
        let definitions = &self.task.component.input_definitions;
        for (name, definition) in &definitions.parameters {
            match inputs.parameters.get_mut(name) {
                _ if self.is_item(name) => {}
                // Filled in above, for the tasks inside to see that there is nothing.
                Some(Value::Null) => {}
                Some(value) => fit(definition, value).map_err(|message| named(name, message))?,
                None if definition.parameter_type == ParameterType::TaskConfig => {
                    let config =
                        task_config::of(self.task, &inputs.parameters).map_err(|message| named(name, message))?;
                    inputs.parameters.insert(name.clone(), config);
                }
                None if definition.is_optional || definition.default_value.is_some() => {}
                None => {
                    let wanted = definition.parameter_type;
                    return Err(named(name, format!("a {wanted} is required, and nothing gives it")));
                }
            }
        }
        inputs.parameters.values_mut().for_each(spec::integral);
        let given = |name: &String| inputs.artifacts.contains_key(name) || self.is_item(name);
        match definitions.artifacts.iter().find(|(name, definition)| !definition.is_optional && !given(name)) {
            Some((name, _)) => Err(format!("input artifact {name:?}: it is required, and nothing gives it")),
            None => Ok(()),
        }
    }

    fn artifacts(&self) -> Result<BTreeMap<String, Vec<Artifact>>, String> {
        let mut artifacts = BTreeMap::new();
        for (name, input) in &self.task.inputs.artifacts {
            let found = match (&input.task_output_artifact, &input.component_input_artifact) {
                (Some(from), _) => {
                    let key = &from.output_artifact_key;
                    let found = self.outputs(&from.producer_task).and_then(|outputs| outputs.artifacts.get(key));
                    found.ok_or_else(|| self.no_output(&from.producer_task, "artifact", key))
                }
                (None, Some(from)) => self
                    .tree
                    .artifacts(self.parent, from)
                    .ok_or_else(|| format!("what it is in has no input artifact {from:?}")),
                (None, None) => continue,
            };
            let optional = self.task.component.input_definitions.artifacts.get(name).is_none_or(|def| def.is_optional);
            match found {
                Ok(found) => drop(artifacts.insert(name.clone(), found.clone())),
                Err(_) if optional => {}
                Err(message) => return Err(format!("input artifact {name:?}: {message}")),
            }
        }
        Ok(artifacts)
    }
}

fn named(name: &str, message: String) -> String {
    format!("input parameter {name:?}: {message}")
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
