//! What the engine can run: a root DAG of containers.
use crate::{ComponentSpec, ParameterType, PipelineSpec, TaskSpec, TriggerStrategy, yaml::clip};
use domain::{Error, Result};

/// The most tasks of a run: each of its steps is stored as a whole.
const MAX_TASKS: usize = 1000;

/// Names the first feature of a pipeline that the engine cannot run yet.
///
/// # Errors
/// `Unimplemented`, with the place of the feature.
pub fn runnable(pipeline: &PipelineSpec) -> Result<()> {
    if let Some(name) = pipeline.root.input_definitions.artifacts.keys().next() {
        return Err(unimplemented("input artifacts of a pipeline")
            .at(format_args!("root.inputDefinitions.artifacts.{}", clip(name))));
    }
    let tasks = pipeline.root_tasks().count();
    if tasks > MAX_TASKS {
        return Err(unimplemented(&format!("a DAG of {tasks} tasks (at most {MAX_TASKS})")).at("root.dag.tasks"));
    }
    for (name, task) in pipeline.root_tasks() {
        check_task(pipeline, task).map_err(|error| error.at(format_args!("root.dag.tasks.{}", clip(name))))?;
    }
    let Some(dag) = &pipeline.root.dag else { return Ok(()) };
    for (name, output) in &dag.outputs.parameters {
        if output.value_from_oneof.is_some() {
            return Err(unimplemented("dsl.OneOf").at(format_args!("root.dag.outputs.parameters.{}", clip(name))));
        }
    }
    for (name, output) in &dag.outputs.artifacts {
        if output.artifact_selectors.len() > 1 {
            return Err(unimplemented("dsl.OneOf").at(format_args!("root.dag.outputs.artifacts.{}", clip(name))));
        }
    }
    Ok(())
}

fn check_task(pipeline: &PipelineSpec, task: &TaskSpec) -> Result<()> {
    if task.parameter_iterator.is_some() || task.artifact_iterator.is_some() {
        return Err(unimplemented("a loop (dsl.ParallelFor)"));
    }
    if let Some(policy) = &task.trigger_policy {
        if !policy.condition.is_empty() {
            return Err(unimplemented("a condition (dsl.If)").at("triggerPolicy.condition"));
        }
        if policy.strategy == TriggerStrategy::AllUpstreamTasksCompleted {
            let what = "an exit task (dsl.ExitHandler, ignore_upstream_failure)";
            return Err(unimplemented(what).at("triggerPolicy.strategy"));
        }
    }
    for (name, input) in &task.inputs.parameters {
        let what = if input.task_final_status.is_some() {
            "the final status of a task"
        } else if !input.parameter_expression_selector.is_empty() {
            "a parameterExpressionSelector"
        } else if input.runtime_value.as_ref().is_some_and(|value| value.constant.is_none()) {
            "a runtimeValue other than a constant"
        } else {
            continue;
        };
        return Err(unimplemented(what).at(format_args!("inputs.parameters.{}", clip(name))));
    }
    let Some(component) = pipeline.component(task) else { return Ok(()) };
    check_component(pipeline, component)
        .map_err(|error| error.at(format_args!("components.{}", clip(&task.component_ref.name))))
}

fn check_component(pipeline: &PipelineSpec, component: &ComponentSpec) -> Result<()> {
    if component.dag.is_some() {
        return Err(unimplemented("a pipeline as a task, or a group of tasks (a nested dag)"));
    }
    for (name, input) in &component.input_definitions.artifacts {
        if input.is_artifact_list {
            return Err(
                unimplemented("a list of artifacts").at(format_args!("inputDefinitions.artifacts.{}", clip(name)))
            );
        }
    }
    for (name, output) in &component.output_definitions.artifacts {
        if output.is_artifact_list {
            return Err(
                unimplemented("a list of artifacts").at(format_args!("outputDefinitions.artifacts.{}", clip(name)))
            );
        }
    }
    for (name, input) in &component.input_definitions.parameters {
        if input.parameter_type == ParameterType::TaskConfig {
            return Err(
                unimplemented("a dsl.TaskConfig input").at(format_args!("inputDefinitions.parameters.{}", clip(name)))
            );
        }
    }
    let Some((label, executor)) =
        component.executor_label.as_ref().and_then(|label| pipeline.executors.get_key_value(label))
    else {
        return Ok(());
    };
    let what = if executor.importer.is_some() {
        "an importer"
    } else if executor.resolver.is_some() {
        "a resolver"
    } else if executor.custom_job.is_some() {
        "a customJob"
    } else if executor.container.is_none() {
        "an executor without a container"
    } else {
        return Ok(());
    };
    Err(unimplemented(what).at(format_args!("deploymentSpec.executors.{}", clip(label))))
}

fn unimplemented(what: &str) -> Error {
    Error::unimplemented(format!("{what} cannot be run here yet"))
}
