//! Tasks: when and how often they run, and where their inputs come from.
use super::{Check, Fault, dag::Dag, types};
use crate::{
    ComponentSpec, InputArtifact, InputParameter, InputParameterDef, ParameterIterator, ParameterType, RuntimeValue,
    TaskSpec, TriggerStrategy, yaml::clip,
};

/// A task with its component, in its DAG.
pub(super) struct Task<'a> {
    pub(super) dag: &'a Dag<'a>,
    pub(super) task: &'a TaskSpec,
    pub(super) component: &'a ComponentSpec,
}

impl Task<'_> {
    pub(super) fn check(&self) -> Check {
        self.check_iterator()?;
        for name in &self.task.dependent_tasks {
            self.dag.producer(name).map_err(|fault| fault.at("dependentTasks"))?;
        }
        for (name, input) in &self.task.inputs.parameters {
            self.check_parameter(name, input).map_err(|fault| fault.at(name).at("inputs.parameters"))?;
        }
        for (name, input) in &self.task.inputs.artifacts {
            self.check_artifact(input).map_err(|fault| fault.at(name).at("inputs.artifacts"))?;
        }
        self.check_required().map_err(|fault| fault.at("inputs"))?;
        self.check_policies()?;
        match &self.task.trigger_policy {
            Some(policy) => check_expression(&policy.condition).map_err(|fault| fault.at("triggerPolicy.condition")),
            None => Ok(()),
        }
    }

    fn check_policies(&self) -> Check {
        let policy = self.task.iterator_policy.as_ref();
        if policy.is_some_and(|policy| policy.parallelism_limit < 0) {
            return Err(negative().at("iteratorPolicy.parallelismLimit"));
        }
        let Some(policy) = &self.task.retry_policy else { return Ok(()) };
        if policy.max_retry_count < 0 {
            return Err(negative().at("retryPolicy.maxRetryCount"));
        }
        if policy.backoff_factor < 0.0 {
            return Err(negative().at("retryPolicy.backoffFactor"));
        }
        Ok(())
    }

    fn check_iterator(&self) -> Check {
        let definitions = &self.component.input_definitions;
        match (&self.task.parameter_iterator, &self.task.artifact_iterator) {
            (None, None) => Ok(()),
            (Some(_), Some(_)) => Err(Fault::new("one of parameterIterator and artifactIterator is allowed, not both")),
            (Some(iterator), None) => self
                .check_items(iterator)
                .and_then(|()| check_item(&iterator.item_input, definitions.parameters.keys()))
                .map_err(|fault| fault.at("parameterIterator")),
            (None, Some(iterator)) => {
                let name = &iterator.items.input_artifact;
                let given = self.task.inputs.artifacts.contains_key(name);
                check_source(name, given || definitions.artifacts.contains_key(name), "artifact")
                    .map_err(|fault| fault.at("items.inputArtifact"))
                    .and_then(|()| check_item(&iterator.item_input, definitions.artifacts.keys()))
                    .map_err(|fault| fault.at("artifactIterator"))
            }
        }
    }

    fn check_items(&self, iterator: &ParameterIterator) -> Check {
        match (&iterator.items.raw, &iterator.items.input_parameter) {
            (Some(raw), None) => match crate::iterator_items(raw) {
                Ok(_) => Ok(()),
                Err(message) => Err(Fault::new(clip(&message)).at("items.raw")),
            },
            (None, Some(name)) => {
                let given = self.task.inputs.parameters.contains_key(name);
                // What the task does not give, the component may have a default for.
                let known = given || self.component.input_definitions.parameters.contains_key(name);
                check_source(name, known, "parameter").map_err(|fault| fault.at("items.inputParameter"))
            }
            _ => Err(Fault::new("one of raw and inputParameter is wanted").at("items")),
        }
    }

    fn check_parameter(&self, name: &str, input: &InputParameter) -> Check {
        check_expression(&input.parameter_expression_selector)
            .map_err(|fault| fault.at("parameterExpressionSelector"))?;
        let sources = [
            input.task_output_parameter.is_some(),
            input.runtime_value.is_some(),
            input.component_input_parameter.is_some(),
            input.task_final_status.is_some(),
        ];
        if sources.iter().filter(|&&given| given).count() != 1 {
            return Err(Fault::new(
                "one of taskOutputParameter, runtimeValue, componentInputParameter and taskFinalStatus is wanted",
            ));
        }
        let wanted = self.wanted(name).filter(|_| input.parameter_expression_selector.is_empty());
        if let Some(from) = &input.task_output_parameter {
            let given = self.dag.parameter(&from.producer_task, &from.output_parameter_key)?;
            // A DAG hands on what its loops give under the type of the single values, too.
            let is_dag = self.dag.producer(&from.producer_task)?.1.dag.is_some();
            let wanted = wanted.filter(|wanted| !(is_dag && wanted.parameter_type == ParameterType::List));
            return check_type(wanted, given, || {
                format!("output {:?} of task {:?}", clip(&from.output_parameter_key), clip(&from.producer_task))
            });
        }
        if let Some(from) = &input.task_final_status {
            // The SDK leaves the name out where there is only one task that it can be.
            if !from.producer_task.is_empty() {
                self.dag.producer(&from.producer_task)?;
            }
            check_type(wanted, ParameterType::TaskFinalStatus, || "how a task ended".to_owned())?;
            let strategy = self.task.trigger_policy.as_ref().map(|policy| policy.strategy);
            if strategy != Some(TriggerStrategy::AllUpstreamTasksCompleted) {
                return Err(Fault::new(
                    "only a task with triggerPolicy.strategy ALL_UPSTREAM_TASKS_COMPLETED can be told how another ended",
                )
                .at("taskFinalStatus"));
            }
            return Ok(());
        }
        if let Some(value) = &input.runtime_value {
            return check_value(wanted, value).map_err(|fault| fault.at("runtimeValue"));
        }
        match &input.component_input_parameter {
            Some(from) => self.check_passed_on(wanted, from).map_err(|fault| fault.at("componentInputParameter")),
            None => Ok(()),
        }
    }

    /// What the component wants of an input. What items are is not held against it.
    fn wanted(&self, name: &str) -> Option<&InputParameterDef> {
        let definition = self.component.input_definitions.parameters.get(name);
        definition.filter(|_| self.task.item() != Some(name))
    }

    fn check_passed_on(&self, wanted: Option<&InputParameterDef>, from: &str) -> Check {
        let Some(given) = self.dag.component.input_definitions.parameters.get(from) else {
            return Err(Fault::new(format!("the parent has no input parameter {:?}", clip(from))));
        };
        let wanted = wanted.filter(|_| !self.dag.items.contains(from));
        check_type(wanted, given.parameter_type, || format!("input {:?} of the parent", clip(from)))
    }

    /// That everything is given that the component cannot do without.
    fn check_required(&self) -> Check {
        let (given, definitions) = (&self.task.inputs, &self.component.input_definitions);
        let is_item = |name: &String| self.task.item() == Some(name);
        for (name, definition) in &definitions.parameters {
            let wanted = definition.parameter_type;
            // The engine itself makes settings of tasks.
            let can_miss =
                definition.is_optional || definition.default_value.is_some() || wanted == ParameterType::TaskConfig;
            if !can_miss && !given.parameters.contains_key(name) && !is_item(name) {
                let fault = Fault::new(format!("a value of type {wanted} is required, and nothing gives it"));
                return Err(fault.at(name).at("parameters"));
            }
        }
        for (name, definition) in &definitions.artifacts {
            if !definition.is_optional && !given.artifacts.contains_key(name) && !is_item(name) {
                return Err(Fault::new("an artifact is required, and nothing gives it").at(name).at("artifacts"));
            }
        }
        Ok(())
    }

    fn check_artifact(&self, input: &InputArtifact) -> Check {
        match (&input.task_output_artifact, &input.component_input_artifact) {
            (Some(from), None) => self.dag.artifact(&from.producer_task, &from.output_artifact_key).map(drop),
            (None, Some(name)) if self.dag.component.input_definitions.artifacts.contains_key(name) => Ok(()),
            (None, Some(name)) => {
                let message = format!("the parent has no input artifact {:?}", clip(name));
                Err(Fault::new(message).at("componentInputArtifact"))
            }
            _ => Err(Fault::new("one of taskOutputArtifact and componentInputArtifact is wanted")),
        }
    }
}

fn check_type(wanted: Option<&InputParameterDef>, given: ParameterType, what: impl FnOnce() -> String) -> Check {
    wanted.map_or(Ok(()), |wanted| types::check_types(wanted.parameter_type, given, what))
}

fn check_value(wanted: Option<&InputParameterDef>, value: &RuntimeValue) -> Check {
    match (wanted, &value.constant) {
        (Some(wanted), Some(constant)) => types::check_constant(wanted, constant).map_err(|fault| fault.at("constant")),
        (None, Some(_)) => Ok(()),
        (_, None) if value.runtime_parameter.is_none() && value.constant_value.is_none() => {
            Err(Fault::new("a constant is wanted"))
        }
        (_, None) => Ok(()),
    }
}

fn negative() -> Fault {
    Fault::new("it cannot be negative")
}

/// That an expression, if there is one, can be evaluated at all.
fn check_expression(expression: &str) -> Check {
    if expression.is_empty() {
        return Ok(());
    }
    crate::check_expression(expression).map_err(|message| Fault::new(clip(&message)))
}

/// That the items of an iterator come from an input of its task.
fn check_source(name: &str, known: bool, what: &str) -> Check {
    match known {
        true => Ok(()),
        false => Err(Fault::new(format!("the task has no input {what} {:?}", clip(name)))),
    }
}

/// That the item of an iteration goes somewhere. A component that declares nothing may still contain it.
fn check_item<'a>(name: &str, mut declared: impl ExactSizeIterator<Item = &'a String>) -> Check {
    let message = match name {
        "" => "the name of the input that an item goes to is wanted".to_owned(),
        name if declared.len() == 0 || declared.any(|other| other == name) => return Ok(()),
        name => format!("the component has no input {:?}", clip(name)),
    };
    Err(Fault::new(message).at("itemInput"))
}
