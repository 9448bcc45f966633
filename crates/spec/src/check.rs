//! Whether a pipeline is of one piece: what it names exists, it has an end, and nothing in it is sure to fail.
//!
//! Only what can never run is refused. What depends on values is left to the run.
mod circle;
mod dag;
mod executor;
mod fault;
mod task;
mod types;

use crate::{ComponentSpec, PipelineSpec, yaml::clip};
use circle::circle;
use dag::Dag;
use domain::{Error, Result};
use fault::{Check, Fault};
use std::collections::{BTreeMap, BTreeSet};

/// Checks every component of a pipeline, and that neither tasks nor components go in circles.
///
/// # Errors
/// `InvalidArgument` for the first mistake, naming its place.
pub(crate) fn pipeline(pipeline: &PipelineSpec) -> Result<()> {
    if pipeline.root.dag.is_none() {
        return Err(Error::invalid("root: a dag is wanted"));
    }
    executor::check_executors(pipeline)?;
    let items = items(pipeline);
    for (name, component) in &pipeline.components {
        let items = items.get(name.as_str()).cloned().unwrap_or_default();
        check_component(pipeline, component, items).map_err(|fault| fault.at(name).at("components"))?;
    }
    check_component(pipeline, &pipeline.root, BTreeSet::new()).map_err(|fault| fault.at("root"))?;
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

/// The inputs that items of iterations go to, by component. The SDK does not always know their types, and what they are
/// is not held against them when a run gets there.
fn items(pipeline: &PipelineSpec) -> BTreeMap<&str, BTreeSet<&str>> {
    let components = pipeline.components.values().chain([&pipeline.root]);
    let mut items: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for task in components.filter_map(|component| component.dag.as_ref()).flat_map(|dag| dag.tasks.values()) {
        if let Some(item) = task.item() {
            items.entry(&task.component_ref.name).or_default().insert(item);
        }
    }
    items
}

fn check_component(pipeline: &PipelineSpec, component: &ComponentSpec, items: BTreeSet<&str>) -> Check {
    types::check_definitions(component)?;
    check_schemas(component)?;
    match (&component.dag, &component.executor_label) {
        (Some(_), Some(_)) | (None, None) => Err(Fault::new("one of dag and executorLabel is wanted")),
        (None, Some(label)) => executor::check_executor(pipeline, component, label),
        (Some(dag), None) => Dag { pipeline, component, dag, items }.check().map_err(|fault| fault.at("dag")),
    }
}

/// That artifacts have types that can be told from each other.
fn check_schemas(component: &ComponentSpec) -> Check {
    let inputs =
        component.input_definitions.artifacts.iter().map(|(name, it)| ("inputDefinitions", name, &it.artifact_type));
    let outputs =
        component.output_definitions.artifacts.iter().map(|(name, it)| ("outputDefinitions", name, &it.artifact_type));
    match inputs.chain(outputs).find(|(_, _, schema)| !schema.schema_uri.is_empty()) {
        Some((definitions, name, _)) => {
            let fault =
                Fault::new("schemaUri is not supported: use schemaTitle, such as system.Model, or instanceSchema");
            Err(fault.at("artifactType").at(name).at("artifacts").at(definitions))
        }
        None => Ok(()),
    }
}
