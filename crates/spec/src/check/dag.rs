//! DAGs: what their tasks and outputs refer to.
use super::{Check, Fault, circle, task::Task};
use crate::{ComponentSpec, DagSpec, ParameterType, PipelineSpec, TaskSpec, yaml::clip};
use std::collections::BTreeSet;

/// A DAG with what its references are looked up in.
pub(super) struct Dag<'a> {
    pub(super) pipeline: &'a PipelineSpec,
    /// The component that it is the inside of.
    pub(super) component: &'a ComponentSpec,
    pub(super) dag: &'a DagSpec,
    /// Its inputs that items of iterations go to.
    pub(super) items: BTreeSet<&'a str>,
}

impl<'a> Dag<'a> {
    pub(super) fn check(&self) -> Check {
        for (name, task) in &self.dag.tasks {
            self.check_task(task).map_err(|fault| fault.at(name).at("tasks"))?;
        }
        let graph = self.dag.tasks.iter().map(|(name, task)| (name.clone(), task.dependencies())).collect();
        if let Some(path) = circle(&graph) {
            return Err(Fault::new(format!("{} wait for each other", clip(&path))).at("tasks"));
        }
        self.check_outputs().map_err(|fault| fault.at("outputs"))
    }

    fn check_task(&self, task: &TaskSpec) -> Check {
        let Some(component) = self.pipeline.component(task) else {
            let message = format!("there is no component {:?}", clip(&task.component_ref.name));
            return Err(Fault::new(message).at("componentRef.name"));
        };
        Task { dag: self, task, component }.check()
    }

    fn check_outputs(&self) -> Check {
        for (name, output) in &self.dag.outputs.parameters {
            let one = output.value_from_parameter.iter();
            let some = output.value_from_oneof.iter().flat_map(|from| &from.parameter_selectors);
            for from in one.chain(some) {
                self.parameter(&from.producer_subtask, &from.output_parameter_key)
                    .map_err(|fault| fault.at(name).at("parameters"))?;
            }
        }
        for (name, output) in &self.dag.outputs.artifacts {
            for from in &output.artifact_selectors {
                self.check_artifact(&from.producer_subtask, &from.output_artifact_key)
                    .map_err(|fault| fault.at(name).at("artifacts"))?;
            }
        }
        Ok(())
    }

    /// The type of a task's output parameter: outputs of tasks that iterate are lists.
    pub(super) fn parameter(&self, task: &str, key: &str) -> Check<ParameterType> {
        let (spec, component) = self.producer(task)?;
        match component.output_definitions.parameters.get(key) {
            Some(_) if spec.item().is_some() => Ok(ParameterType::List),
            Some(definition) => Ok(definition.parameter_type),
            None => Err(Fault::new(format!("task {:?} has no output parameter {:?}", clip(task), clip(key)))),
        }
    }

    /// That a task has an output artifact.
    pub(super) fn check_artifact(&self, task: &str, key: &str) -> Check {
        match self.producer(task)?.1.output_definitions.artifacts.contains_key(key) {
            true => Ok(()),
            false => Err(Fault::new(format!("task {:?} has no output artifact {:?}", clip(task), clip(key)))),
        }
    }

    /// A task of this DAG, with its component.
    pub(super) fn producer(&self, name: &str) -> Check<(&'a TaskSpec, &'a ComponentSpec)> {
        let task = self.dag.tasks.get(name);
        let task = task.ok_or_else(|| Fault::new(format!("there is no task {:?} in this dag", clip(name))))?;
        match self.pipeline.component(task) {
            Some(component) => Ok((task, component)),
            None => Err(Fault::new(format!("the component of task {:?} is missing", clip(name)))),
        }
    }
}
