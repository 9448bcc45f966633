//! DAGs: what their tasks and outputs refer to.
use super::{Check, Fault, circle, task::Task, types};
use crate::{
    ArtifactSelector, ComponentSpec, DagOutputParameter, DagSpec, OutputArtifactDef, ParameterType, PipelineSpec,
    TaskSpec, yaml::clip,
};
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
            // Paths are made of keys, and `loop[3]/train` must be of one task alone.
            if name.is_empty() || name.contains(|c: char| matches!(c, '/' | '[' | ']') || c.is_control()) {
                let message = format!("{:?}: a task's key has no '/', '[', ']' or control characters", clip(name));
                return Err(Fault::new(message).at("tasks"));
            }
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
            self.check_output(output).map_err(|fault| fault.at(name).at("parameters"))?;
        }
        for (name, output) in &self.dag.outputs.artifacts {
            self.check_selectors(&output.artifact_selectors).map_err(|fault| fault.at(name).at("artifacts"))?;
        }
        Ok(())
    }

    fn check_output(&self, output: &DagOutputParameter) -> Check {
        let selectors = match (&output.value_from_parameter, &output.value_from_oneof) {
            (Some(one), None) => std::slice::from_ref(one),
            (None, Some(some)) => &some.parameter_selectors,
            _ => return Err(Fault::new("one of valueFromParameter and valueFromOneof is wanted")),
        };
        let mut first = None;
        for from in selectors {
            let of = self.parameter(&from.producer_subtask, &from.output_parameter_key)?;
            let first = *first.get_or_insert(of);
            if types::class(first) != types::class(of) {
                return Err(Fault::new(format!("what is selected from is of one type, not of {first} and {of}")));
            }
        }
        Ok(())
    }

    fn check_selectors(&self, selectors: &[ArtifactSelector]) -> Check {
        let mut first = None;
        for from in selectors {
            let of = &self.artifact(&from.producer_subtask, &from.output_artifact_key)?.artifact_type.schema_title;
            let first = *first.get_or_insert(of);
            if first != of {
                let (first, of) = (clip(first), clip(of));
                return Err(Fault::new(format!("what is selected from is of one type, not of {first:?} and {of:?}")));
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

    /// What a task declares of an output artifact.
    pub(super) fn artifact(&self, task: &str, key: &str) -> Check<&'a OutputArtifactDef> {
        let artifact = self.producer(task)?.1.output_definitions.artifacts.get(key);
        artifact.ok_or_else(|| Fault::new(format!("task {:?} has no output artifact {:?}", clip(task), clip(key))))
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
