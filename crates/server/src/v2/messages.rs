//! From the domain to v2beta1's messages.
use crate::{json, time};
use api::{
    google::rpc::Status,
    v2::{
        self,
        pipeline_task_detail::{ChildTask, child_task},
    },
};
use domain::{
    Error, Experiment, Fault, Home, Pipeline, PipelineVersion, Result, Run, RuntimeState, Source, StateChange, Task,
    TaskId,
};
use spec::Template;
use std::collections::HashMap;

/// google.rpc.Code UNKNOWN: what a failed run or task carries, since the failure is the user's program's.
const FAILED: i32 = 2;

/// The namespace as messages have it: empty for shared objects and in single-user mode.
pub(crate) fn namespace(home: &Home) -> String {
    home.namespace().map(ToString::to_string).unwrap_or_default()
}

pub(crate) fn experiment_message(experiment: &Experiment) -> v2::Experiment {
    use v2::experiment::StorageState;
    v2::Experiment {
        experiment_id: experiment.id.to_string(),
        display_name: experiment.name.clone(),
        description: experiment.description.clone(),
        created_at: time::wire(experiment.created_at),
        namespace: namespace(&experiment.home),
        storage_state: match experiment.storage_state {
            domain::StorageState::Available => StorageState::Available,
            domain::StorageState::Archived => StorageState::Archived,
        }
        .into(),
        last_run_created_at: time::wire(experiment.last_run_at),
        created_by: experiment.created_by.clone(),
    }
}

pub(crate) fn pipeline_message(pipeline: &Pipeline) -> v2::Pipeline {
    v2::Pipeline {
        pipeline_id: pipeline.id.to_string(),
        display_name: pipeline.display_name.clone(),
        name: pipeline.name.clone(),
        description: pipeline.description.clone(),
        created_at: time::wire(pipeline.created_at),
        namespace: namespace(&pipeline.home),
        error: None,
        tags: pipeline.tags.clone().into_iter().collect(),
        created_by: pipeline.created_by.clone(),
    }
}

pub(crate) fn version_message(version: &PipelineVersion) -> Result<v2::PipelineVersion> {
    Ok(v2::PipelineVersion {
        pipeline_id: version.pipeline_id.to_string(),
        pipeline_version_id: version.id.to_string(),
        display_name: version.display_name.clone(),
        name: version.name.clone(),
        description: version.description.clone(),
        created_at: time::wire(version.created_at),
        package_url: (!version.package_url.is_empty()).then(|| v2::Url { pipeline_url: version.package_url.clone() }),
        code_source_url: version.code_source_url.clone(),
        pipeline_spec: spec_struct(&version.spec)?,
        error: None,
        tags: version.tags.clone().into_iter().collect(),
        created_by: version.created_by.clone(),
    })
}

/// A stored text as the Struct that the API shows. What is stored was readable once, so a failure is ours.
pub(super) fn spec_struct(spec: &str) -> Result<Option<prost_types::Struct>> {
    let template = Template::parse(spec).map_err(Error::internal)?;
    match template.to_json() {
        serde_json::Value::Object(object) => Ok(Some(json::to_struct(object))),
        _ => Err(Error::internal("a stored pipeline is not an object")),
    }
}

pub(crate) fn run_message(run: &Run) -> Result<v2::Run> {
    use v2::run::{PipelineSource, StorageState};
    let source = match &run.source {
        Source::Version { pipeline_id, version_id, .. } => {
            Some(PipelineSource::PipelineVersionReference(v2::PipelineVersionReference {
                pipeline_id: pipeline_id.to_string(),
                pipeline_version_id: version_id.to_string(),
            }))
        }
        Source::Inline => spec_struct(&run.spec)?.map(PipelineSource::PipelineSpec),
    };
    let parameters = run.parameters.clone().into_iter().map(|(key, value)| (key, json::to_wire(value))).collect();
    let config = v2::RuntimeConfig { parameters, pipeline_root: run.pipeline_root.clone() };
    let mut children: HashMap<&TaskId, Vec<ChildTask>> = HashMap::new();
    for task in &run.tasks {
        let child = ChildTask { child_task: Some(child_task::ChildTask::TaskId(task.id.to_string())) };
        if let Some(parent) = &task.parent_id {
            children.entry(parent).or_default().push(child);
        }
    }
    let mut details = |task: &Task| task_message(task, children.remove(&task.id).unwrap_or_default());
    let task_details = run.tasks.iter().map(&mut details).collect();
    Ok(v2::Run {
        experiment_id: run.experiment_id.to_string(),
        run_id: run.id.to_string(),
        display_name: run.name.clone(),
        storage_state: match run.storage_state {
            domain::StorageState::Available => StorageState::Available,
            domain::StorageState::Archived => StorageState::Archived,
        }
        .into(),
        description: run.description.clone(),
        runtime_config: (config != v2::RuntimeConfig::default()).then_some(config),
        service_account: run.service_account.clone(),
        created_at: time::wire(run.created_at),
        scheduled_at: time::wire(run.scheduled_at),
        finished_at: time::wire(run.finished_at),
        state: state(run.state).into(),
        error: run.error.clone().map(failure),
        run_details: (!run.tasks.is_empty()).then_some(v2::RunDetails { task_details, ..Default::default() }),
        recurring_run_id: run.recurring_run_id.clone(),
        state_history: run.history.iter().map(change).collect(),
        plugins_input: Default::default(),
        plugins_output: Default::default(),
        pipeline_source: source,
        created_by: run.created_by.clone(),
    })
}

fn task_message(task: &Task, child_tasks: Vec<ChildTask>) -> v2::PipelineTaskDetail {
    v2::PipelineTaskDetail {
        run_id: task.run_id.to_string(),
        task_id: task.id.to_string(),
        display_name: task.display_name.clone(),
        create_time: time::wire(task.created_at),
        start_time: time::wire(task.started_at),
        end_time: time::wire(task.finished_at),
        state: state(task.state).into(),
        error: task.error.clone().map(failure),
        state_history: task.history.iter().map(change).collect(),
        // There are no pods. Where clients ask for the log of one, they ask by this name.
        pod_name: task.id.to_string(),
        parent_task_id: task.parent_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        child_tasks,
        ..Default::default()
    }
}

pub(super) fn change(change: &StateChange) -> v2::RuntimeStatus {
    v2::RuntimeStatus {
        update_time: time::wire(change.at),
        state: state(change.state).into(),
        error: change.error.clone().map(failure),
    }
}

/// What keeps a recurring run from making runs.
pub(crate) fn fault(fault: &Fault) -> Status {
    api::status::of_object(fault.code, &fault.message)
}

pub(super) fn failure(message: String) -> Status {
    Status { code: FAILED, message, details: Vec::new() }
}

pub(super) fn state(state: RuntimeState) -> v2::RuntimeState {
    match state {
        RuntimeState::Pending => v2::RuntimeState::Pending,
        RuntimeState::Running => v2::RuntimeState::Running,
        RuntimeState::Succeeded => v2::RuntimeState::Succeeded,
        RuntimeState::Skipped => v2::RuntimeState::Skipped,
        RuntimeState::Failed => v2::RuntimeState::Failed,
        RuntimeState::Canceling => v2::RuntimeState::Canceling,
    }
}
