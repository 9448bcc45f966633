//! Runs and tasks as `bulkhead.v1` has them.
use crate::{json, time};
use api::bulkhead::v1 as wire;
use domain::{Artifact, Run, StateChange, Task, TaskIo};
use store::Watched;

/// A run with the tasks that have changed, and what has happened after a step of it.
pub fn watched(watched: &Watched, since: u64) -> wire::WatchRunResponse {
    let Watched { run, outputs, revision } = watched;
    wire::WatchRunResponse {
        cursor: revision.to_string(),
        run: Some(run_state(run, outputs.clone(), since)),
        tasks: run.tasks.iter().map(|task| task_state(task, since)).collect(),
    }
}

fn run_state(run: &Run, outputs: Option<TaskIo>, since: u64) -> wire::RunState {
    wire::RunState {
        run_id: run.id.to_string(),
        display_name: run.name.clone(),
        state: run.state.to_string(),
        error: run.error.clone().unwrap_or_default(),
        created_at: time::precise(run.created_at),
        finished_at: run.finished_at.and_then(time::precise),
        changes: changes(&run.history, since),
        outputs: outputs.map(io),
    }
}

fn task_state(task: &Task, since: u64) -> wire::TaskState {
    let id = |id: &Option<domain::TaskId>| id.as_ref().map(ToString::to_string).unwrap_or_default();
    wire::TaskState {
        task_id: task.id.to_string(),
        parent_task_id: id(&task.parent_id),
        path: task.path.clone(),
        name: task.name.clone(),
        display_name: task.display_name.clone(),
        r#type: task.kind.as_str().to_owned(),
        state: task.state.to_string(),
        attempt: task.attempt,
        error: task.error.clone().unwrap_or_default(),
        cached_task_id: id(&task.cached_from),
        created_at: time::precise(task.created_at),
        started_at: task.started_at.and_then(time::precise),
        finished_at: task.finished_at.and_then(time::precise),
        inputs: Some(io(task.inputs.clone())),
        outputs: Some(io(task.outputs.clone())),
        changes: changes(&task.history, since),
    }
}

fn changes(history: &[StateChange], since: u64) -> Vec<wire::StateChange> {
    let new = history.iter().filter(|change| change.revision > since || since == 0);
    new.map(|change| wire::StateChange {
        at: time::precise(change.at),
        state: change.state.to_string(),
        error: change.error.clone().unwrap_or_default(),
    })
    .collect()
}

fn io(io: TaskIo) -> wire::TaskIo {
    let lists = io.artifacts.into_iter().map(|(name, list)| {
        let artifacts = list.into_iter().map(artifact).collect();
        (name, wire::TaskArtifacts { artifacts })
    });
    wire::TaskIo {
        parameters: io.parameters.into_iter().map(|(name, value)| (name, json::to_wire(value))).collect(),
        artifacts: lists.collect(),
    }
}

fn artifact(artifact: Artifact) -> wire::TaskArtifact {
    wire::TaskArtifact {
        artifact_id: artifact.id.to_string(),
        name: artifact.name,
        r#type: artifact.kind,
        uri: artifact.uri,
        metadata: Some(json::to_struct(artifact.metadata)),
        missing: !artifact.materialized,
    }
}
