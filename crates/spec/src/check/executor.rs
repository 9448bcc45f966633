//! Executors: what is behind a component that is no DAG.
use super::{Check, Fault};
use crate::{ComponentSpec, ExecutorSpec, ImporterSpec, PipelineSpec, yaml::clip};
use serde_json::Value;

/// Checks the executors of a pipeline for themselves.
pub(super) fn check_executors(pipeline: &PipelineSpec) -> Check {
    pipeline
        .executors
        .iter()
        .try_for_each(|(label, executor)| check_kind(executor).map_err(|fault| fault.at(label)))
        .map_err(|fault| fault.at("deploymentSpec.executors"))
}

/// Checks a component against its executor.
pub(super) fn check_executor(pipeline: &PipelineSpec, component: &ComponentSpec, label: &str) -> Check {
    let Some(executor) = pipeline.executors.get(label) else {
        let message = format!("deploymentSpec has no executor {:?}", clip(label));
        return Err(Fault::new(message).at("executorLabel"));
    };
    match &executor.importer {
        Some(importer) => check_importer(component, importer),
        None => Ok(()),
    }
}

fn check_kind(executor: &ExecutorSpec) -> Check {
    let kinds = [
        executor.container.is_some(),
        executor.importer.is_some(),
        executor.resolver.is_some(),
        executor.custom_job.is_some(),
    ];
    if kinds.iter().filter(|&&given| given).count() != 1 {
        return Err(Fault::new("one of container and importer is wanted"));
    }
    let Some(importer) = &executor.importer else { return Ok(()) };
    match (&importer.artifact_uri.runtime_parameter, &importer.artifact_uri.constant) {
        (Some(_), _) => Ok(()),
        (None, Some(Value::String(uri))) if !uri.is_empty() => Ok(()),
        (None, _) => Err(Fault::new("a runtimeParameter, or a constant text, is wanted").at("importer.artifactUri")),
    }
}

fn check_importer(component: &ComponentSpec, importer: &ImporterSpec) -> Check {
    if let Some(name) = &importer.artifact_uri.runtime_parameter
        && !component.input_definitions.parameters.contains_key(name)
    {
        let message = format!("the importer takes its URI from the input parameter {:?}, which is missing", clip(name));
        return Err(Fault::new(message).at("inputDefinitions.parameters"));
    }
    match component.output_definitions.artifacts.len() {
        1 => Ok(()),
        count => {
            let message = format!("an importer has one output artifact, not {count}");
            Err(Fault::new(message).at("outputDefinitions.artifacts"))
        }
    }
}
