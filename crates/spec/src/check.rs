//! Whether what a pipeline names exists, and whether it has an end.
use crate::{ComponentSpec, DagSpec, InputParameter, PipelineSpec, TaskSpec, yaml::clip};
use domain::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Checks every reference of a pipeline, and that neither tasks nor components go in circles.
///
/// # Errors
/// `InvalidArgument` for the first reference that dangles, naming its place.
pub(crate) fn references(pipeline: &PipelineSpec) -> Result<()> {
    if pipeline.root.dag.is_none() {
        return Err(Error::invalid("root: a dag is wanted"));
    }
    let components = pipeline.components.iter().map(|(name, component)| (format!("components.{name}"), component));
    for (place, component) in components.chain([("root".to_owned(), &pipeline.root)]) {
        check_component(pipeline, component).map_err(|error| error.at(clip(&place)))?;
    }
    let uses = |component: &ComponentSpec| match &component.dag {
        Some(dag) => dag.tasks.values().map(|task| task.component_ref.name.clone()).collect(),
        None => BTreeSet::new(),
    };
    let graph = pipeline.components.iter().map(|(name, component)| (name.clone(), uses(component))).collect();
    match circle(&graph) {
        Some(path) => Err(Error::invalid(format!("components: {} contain each other", clip(&path)))),
        None => Ok(()),
    }
}

impl TaskSpec {
    /// The names of the tasks that this one waits for: those it says, and those whose outputs it takes.
    pub fn dependencies(&self) -> BTreeSet<String> {
        let parameters = self.inputs.parameters.values().flat_map(|input| {
            let output = input.task_output_parameter.as_ref().map(|from| &from.producer_task);
            let status = input.task_final_status.as_ref().map(|from| &from.producer_task);
            output.into_iter().chain(status)
        });
        let artifacts = self.inputs.artifacts.values().filter_map(|input| input.task_output_artifact.as_ref());
        let artifacts = artifacts.map(|from| &from.producer_task);
        self.dependent_tasks
            .iter()
            .chain(parameters)
            .chain(artifacts)
            .filter(|name| !name.is_empty())
            .cloned()
            .collect()
    }
}

fn check_component(pipeline: &PipelineSpec, component: &ComponentSpec) -> Result<()> {
    match (&component.dag, &component.executor_label) {
        (Some(_), Some(_)) | (None, None) => Err(Error::invalid("one of dag and executorLabel is wanted")),
        (None, Some(label)) if !pipeline.executors.contains_key(label) => {
            Err(Error::invalid(format!("executorLabel: deploymentSpec has no executor {:?}", clip(label))))
        }
        (None, Some(_)) => Ok(()),
        (Some(dag), None) => Dag { pipeline, component, dag }.check().map_err(|error| error.at("dag")),
    }
}

/// A DAG with what its references are looked up in.
struct Dag<'a> {
    pipeline: &'a PipelineSpec,
    component: &'a ComponentSpec,
    dag: &'a DagSpec,
}

impl Dag<'_> {
    fn check(&self) -> Result<()> {
        for (name, task) in &self.dag.tasks {
            self.check_task(task).map_err(|error| error.at(format_args!("tasks.{}", clip(name))))?;
        }
        let graph = self.dag.tasks.iter().map(|(name, task)| (name.clone(), task.dependencies())).collect();
        if let Some(path) = circle(&graph) {
            return Err(Error::invalid(format!("tasks: {} wait for each other", clip(&path))));
        }
        self.check_outputs().map_err(|error| error.at("outputs"))
    }

    fn check_task(&self, task: &TaskSpec) -> Result<()> {
        let component = &task.component_ref.name;
        if self.pipeline.component(task).is_none() {
            return Err(Error::invalid(format!("componentRef.name: there is no component {:?}", clip(component))));
        }
        if task.artifact_iterator.is_some() && task.parameter_iterator.is_some() {
            return Err(Error::invalid("one of parameterIterator and artifactIterator is allowed, not both"));
        }
        for name in &task.dependent_tasks {
            self.task(name).map_err(|error| error.at("dependentTasks"))?;
        }
        for (name, input) in &task.inputs.parameters {
            self.check_parameter(input).map_err(|error| error.at(format_args!("inputs.parameters.{}", clip(name))))?;
        }
        for (name, input) in &task.inputs.artifacts {
            let place = format_args!("inputs.artifacts.{}", clip(name)).to_string();
            match (&input.task_output_artifact, &input.component_input_artifact) {
                (Some(from), None) => self.artifact(&from.producer_task, &from.output_artifact_key),
                (None, Some(name)) if self.component.input_definitions.artifacts.contains_key(name) => Ok(()),
                (None, Some(name)) => Err(Error::invalid(format!(
                    "componentInputArtifact: the parent has no input artifact {:?}",
                    clip(name)
                ))),
                _ => Err(Error::invalid("one of taskOutputArtifact and componentInputArtifact is wanted")),
            }
            .map_err(|error| error.at(place))?;
        }
        Ok(())
    }

    fn check_parameter(&self, input: &InputParameter) -> Result<()> {
        let sources = [
            input.task_output_parameter.is_some(),
            input.runtime_value.is_some(),
            input.component_input_parameter.is_some(),
            input.task_final_status.is_some(),
        ];
        if sources.iter().filter(|&&given| given).count() != 1 {
            return Err(Error::invalid(
                "one of taskOutputParameter, runtimeValue, componentInputParameter and taskFinalStatus is wanted",
            ));
        }
        if let Some(from) = &input.task_output_parameter {
            return self.parameter(&from.producer_task, &from.output_parameter_key);
        }
        if let Some(from) = &input.task_final_status {
            // The SDK leaves the name out where there is only one task that it can be.
            return if from.producer_task.is_empty() { Ok(()) } else { self.task(&from.producer_task).map(drop) };
        }
        if let Some(value) = &input.runtime_value
            && value.constant.is_none()
            && value.runtime_parameter.is_none()
            && value.constant_value.is_none()
        {
            return Err(Error::invalid("runtimeValue: a constant is wanted"));
        }
        match &input.component_input_parameter {
            Some(name) if !self.component.input_definitions.parameters.contains_key(name) => Err(Error::invalid(
                format!("componentInputParameter: the parent has no input parameter {:?}", clip(name)),
            )),
            _ => Ok(()),
        }
    }

    fn check_outputs(&self) -> Result<()> {
        for (name, output) in &self.dag.outputs.parameters {
            let one = output.value_from_parameter.iter();
            let some = output.value_from_oneof.iter().flat_map(|from| &from.parameter_selectors);
            for from in one.chain(some) {
                self.parameter(&from.producer_subtask, &from.output_parameter_key)
                    .map_err(|error| error.at(format_args!("parameters.{}", clip(name))))?;
            }
        }
        for (name, output) in &self.dag.outputs.artifacts {
            for from in &output.artifact_selectors {
                self.artifact(&from.producer_subtask, &from.output_artifact_key)
                    .map_err(|error| error.at(format_args!("artifacts.{}", clip(name))))?;
            }
        }
        Ok(())
    }

    fn parameter(&self, task: &str, key: &str) -> Result<()> {
        match self.task(task)?.output_definitions.parameters.contains_key(key) {
            true => Ok(()),
            false => Err(Error::invalid(format!("task {:?} has no output parameter {:?}", clip(task), clip(key)))),
        }
    }

    fn artifact(&self, task: &str, key: &str) -> Result<()> {
        match self.task(task)?.output_definitions.artifacts.contains_key(key) {
            true => Ok(()),
            false => Err(Error::invalid(format!("task {:?} has no output artifact {:?}", clip(task), clip(key)))),
        }
    }

    fn task(&self, name: &str) -> Result<&ComponentSpec> {
        let task = self.dag.tasks.get(name);
        let task = task.ok_or_else(|| Error::invalid(format!("there is no task {:?} in this dag", clip(name))))?;
        let component = self.pipeline.component(task);
        component.ok_or_else(|| Error::invalid(format!("the component of task {:?} is missing", clip(name))))
    }
}

/// Finds names that lead back to themselves, as `a -> b -> a`. Names that are not in the graph lead nowhere.
fn circle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, uses) in graph {
        let known = uses.iter().filter(|other| graph.contains_key(*other));
        left.insert(name, known.clone().count());
        known.for_each(|other| users.entry(other).or_default().push(name));
    }
    let mut free: Vec<&str> = left.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    while let Some(name) = free.pop() {
        left.remove(name);
        for user in users.get(name).into_iter().flatten() {
            if let Some(count) = left.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    free.push(user);
                }
            }
        }
    }
    // What is left uses something else that is left: following that runs into a circle.
    let mut path = vec![*left.keys().next()?];
    loop {
        let last = path.last()?;
        let next = graph.get(*last)?.iter().find(|other| left.contains_key(other.as_str()))?;
        if let Some(start) = path.iter().position(|seen| seen == next) {
            path.push(next);
            return Some(path[start..].join(" -> "));
        }
        path.push(next);
    }
}
