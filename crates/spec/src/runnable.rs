//! What the engine can run: everything but what nobody outside of one cloud ever could.
use crate::{PipelineSpec, yaml::clip};
use domain::{Error, Result};

/// Names the first feature of a pipeline that cannot be run.
///
/// # Errors
/// `Unimplemented`, with the place of the feature.
pub fn runnable(pipeline: &PipelineSpec) -> Result<()> {
    let root = &pipeline.root.input_definitions.artifacts;
    if let Some((name, _)) = root.iter().find(|(_, definition)| !definition.is_optional) {
        let error = Error::unimplemented("a pipeline cannot be given artifacts: use an importer");
        return Err(error.at(format_args!("root.inputDefinitions.artifacts.{}", clip(name))));
    }
    let used = pipeline.components.values().filter_map(|component| component.executor_label.as_ref());
    for label in used {
        let Some(executor) = pipeline.executors.get(label) else { continue };
        let what = if executor.resolver.is_some() {
            "a resolver"
        } else if executor.custom_job.is_some() {
            "a customJob"
        } else if executor.importer.is_none() && executor.container.is_none() {
            "an executor without a container"
        } else {
            continue;
        };
        let error = Error::unimplemented(format!("{what} cannot be run here, nor by the KFP backend"));
        return Err(error.at(format_args!("deploymentSpec.executors.{}", clip(label))));
    }
    Ok(())
}
