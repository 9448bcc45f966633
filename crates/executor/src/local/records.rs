//! From the engine's state to the rows that clients see.
use domain::{RunId, RuntimeState, StateChange, Task, TaskId, Timestamp};
use engine::{Plan, State, Status, TaskState};
use std::collections::BTreeMap;

/// The tasks of a run as rows, by their key in the DAG.
pub(super) struct Records(BTreeMap<String, Task>);

impl Records {
    /// The rows that are there, and new ones for tasks that have none yet, which the next update yields.
    pub(super) fn new(run: &RunId, plan: &Plan, rows: Vec<Task>, now: Timestamp) -> Self {
        let mut records: BTreeMap<String, Task> = rows.into_iter().map(|task| (task.name.clone(), task)).collect();
        for task in plan.tasks() {
            records.entry(task.name.clone()).or_insert_with(|| Task {
                id: TaskId::fresh(),
                run_id: run.clone(),
                name: task.name.clone(),
                display_name: task.display_name.clone(),
                state: RuntimeState::Pending,
                created_at: now,
                started_at: None,
                finished_at: None,
                attempt: 0,
                history: Vec::new(),
                error: None,
            });
        }
        Self(records)
    }

    pub(super) fn id(&self, task: &str) -> Option<&TaskId> {
        self.0.get(task).map(|task| &task.id)
    }

    /// Takes in a state; returns the rows that it changed.
    pub(super) fn update(&mut self, state: &State, now: Timestamp) -> Vec<Task> {
        let absent = TaskState::default();
        let mut changed = Vec::new();
        for (name, record) in &mut self.0 {
            let task = state.tasks.get(name).unwrap_or(&absent);
            let before = record.clone();
            apply(record, task, now);
            if *record != before {
                changed.push(record.clone());
            }
        }
        changed
    }
}

fn apply(record: &mut Task, task: &TaskState, now: Timestamp) {
    let state = match task.status {
        Status::Pending | Status::Waiting => RuntimeState::Pending,
        Status::Running => RuntimeState::Running,
        Status::Succeeded => RuntimeState::Succeeded,
        Status::Failed => RuntimeState::Failed,
        Status::Skipped => RuntimeState::Skipped,
    };
    let first = record.history.is_empty();
    if first || record.state != state {
        StateChange { at: now, state, error: task.error.clone() }.append_to(&mut record.history);
    }
    record.state = state;
    record.attempt = task.attempt;
    record.error.clone_from(&task.error);
    if state == RuntimeState::Running {
        record.started_at.get_or_insert(now);
    }
    match state.is_final() {
        true => drop(record.finished_at.get_or_insert(now)),
        // It may have been before the run was retried.
        false => record.finished_at = None,
    }
}

/// Where the run as a whole stands, and what went wrong with it.
pub(super) fn run_state(state: &State) -> (RuntimeState, Option<String>) {
    match &state.outcome {
        Some(Ok(_)) => (RuntimeState::Succeeded, None),
        Some(Err(why)) => (RuntimeState::Failed, Some(why.clone())),
        None => (RuntimeState::Running, None),
    }
}
