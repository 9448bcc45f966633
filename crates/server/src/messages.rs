//! Runs and tasks as `bulkhead.v1` has them.
use crate::{cursor, json, time};
use api::bulkhead::v1 as wire;
use domain::{Artifact, Result, StateChange, Task, TaskIo};
use prost::Message as _;
use store::{Seen, Watched};

/// The most that the tasks of a message are, in bytes, unless it has one task: gRPC's clients take 4 MiB.
const MOST: usize = 1 << 20;

/// A part of what has changed of a run, and what somebody has seen who has got it.
///
/// # Errors
/// If the cursor cannot be written, which is a bug.
pub fn watched(mut watched: Watched) -> Result<(wire::WatchRunResponse, Seen)> {
    let (mut tasks, mut bytes) = (Vec::with_capacity(watched.tasks.len()), 0);
    for task in &watched.tasks {
        let task = task_state(task, &watched);
        bytes += task.encoded_len();
        if bytes > MOST && !tasks.is_empty() {
            break;
        }
        tasks.push(task);
    }
    watched.truncate(tasks.len());
    let seen = watched.seen();
    let message = wire::WatchRunResponse {
        cursor: cursor::write(&seen)?,
        run: Some(run_state(&watched)),
        tasks,
        ended: watched.is_last(),
    };
    Ok((message, seen))
}

fn run_state(watched: &Watched) -> wire::RunState {
    let (run, whole) = (&watched.run, watched.after.is_none());
    wire::RunState {
        run_id: run.id.to_string(),
        display_name: run.name.clone(),
        state: run.state.to_string(),
        error: run.error.clone().unwrap_or_default(),
        created_at: time::precise(run.created_at),
        finished_at: run.finished_at.and_then(time::precise),
        changes: if whole { changes(&run.history, watched) } else { Vec::new() },
        outputs: watched.outputs.clone().filter(|_| whole).map(io),
    }
}

fn task_state(task: &Task, watched: &Watched) -> wire::TaskState {
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
        changes: changes(&task.history, watched),
    }
}

fn changes(history: &[StateChange], watched: &Watched) -> Vec<wire::StateChange> {
    let told = watched.changes(history).map(|change| wire::StateChange {
        at: time::precise(change.at),
        state: change.state.to_string(),
        error: change.error.clone().unwrap_or_default(),
        attempt: change.attempt,
    });
    told.collect()
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
