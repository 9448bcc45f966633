//! Between the engine's nodes and the rows that clients see and runs are resumed from.
use domain::{
    Artifact, ArtifactId, Error, Result, RunId, RuntimeState, StateChange, Task, TaskId, TaskIo, TaskKind, Timestamp,
};
use engine::{Body, Node, NodeId, Place, Plan, RunState, State, Status};
use serde::{Deserialize, Serialize};
use spec::ArtifactTypeSchema;

/// What is kept of a run beside its tasks.
#[derive(Deserialize, Serialize)]
struct Kept {
    run: RunState,
    /// The root is no task, so it has no row.
    root: Node,
}

/// What the rows of a run have beside what the engine knows, by node.
pub(super) struct Records {
    run: RunId,
    rows: Vec<Record>,
}

struct Record {
    id: TaskId,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    history: Vec<StateChange>,
}

impl Record {
    fn new(now: Timestamp) -> Self {
        Self { id: TaskId::fresh(), created_at: now, started_at: None, finished_at: None, history: Vec::new() }
    }
}

/// Puts a run together again that was stored.
///
/// # Errors
/// `Internal` if it cannot be read.
pub(super) fn restore(run: &RunId, kept: &str, tasks: Vec<Task>) -> Result<(State, Records)> {
    if kept.is_empty() {
        return Ok((State::default(), Records { run: run.clone(), rows: Vec::new() }));
    }
    let Kept { run: state, root } = serde_json::from_str(kept).map_err(Error::internal)?;
    let mut nodes = vec![root];
    let mut rows = vec![(NodeId::ROOT, Record::new(Timestamp::default()))];
    for task in tasks {
        let node: Node = serde_json::from_str(&task.engine).map_err(Error::internal)?;
        let gave = node.status.is_final() && node.status != Status::Skipped;
        let record = Record {
            id: task.id,
            created_at: task.created_at,
            started_at: task.started_at,
            finished_at: task.finished_at,
            history: task.history,
        };
        rows.push((node.id, record));
        let TaskIo { parameters, artifacts } = task.outputs;
        let outputs = gave.then(|| engine::Outputs { parameters, artifacts: lists(artifacts, to_engine) });
        let TaskIo { parameters, artifacts } = task.inputs;
        let inputs = engine::Inputs { parameters, artifacts: lists(artifacts, to_engine) };
        nodes.push(Node { error: task.error, inputs, outputs, ..node });
    }
    rows.sort_by_key(|(id, _)| *id);
    let state = State::restore(state, nodes).map_err(Error::internal)?;
    Ok((state, Records { run: run.clone(), rows: rows.into_iter().map(|(_, record)| record).collect() }))
}

impl Records {
    /// The id of a node's row.
    pub(super) fn id(&self, node: NodeId) -> Option<&TaskId> {
        self.rows.get(node.0 as usize).map(|record| &record.id)
    }

    /// What to keep of a run beside its tasks.
    pub(super) fn kept(state: &State) -> Result<String> {
        let Some(root) = state.node(NodeId::ROOT).cloned() else { return Ok(String::new()) };
        serde_json::to_string(&Kept { run: state.run().clone(), root }).map_err(Error::internal)
    }

    /// The last update is stored, as this step of the run.
    pub(super) fn stored(&mut self, tasks: &[Task], revision: u64) {
        let ids: std::collections::HashSet<&TaskId> = tasks.iter().map(|task| &task.id).collect();
        let changed = self.rows.iter_mut().filter(|record| ids.contains(&record.id));
        let changes = changed.flat_map(|record| &mut record.history);
        changes.for_each(|change| change.stamp(revision));
    }

    /// The rows of nodes that have changed.
    pub(super) fn update(
        &mut self,
        plan: &Plan,
        state: &State,
        changed: impl Iterator<Item = NodeId>,
        now: Timestamp,
    ) -> Result<Vec<Task>> {
        self.rows.resize_with(state.nodes().len().max(self.rows.len()), || Record::new(now));
        let mut tasks = Vec::new();
        for id in changed.filter(|id| *id != NodeId::ROOT) {
            tasks.extend(state.node(id).map(|node| self.row(plan, state, node, now)).transpose()?);
        }
        Ok(tasks)
    }

    fn row(&mut self, plan: &Plan, state: &State, node: &Node, now: Timestamp) -> Result<Task> {
        let parent = node.parent.filter(|parent| *parent != NodeId::ROOT);
        let parent_id = parent.and_then(|parent| self.id(parent)).cloned();
        let runtime = runtime_state(node.status);
        let record = self.rows.get_mut(node.id.0 as usize).ok_or_else(|| Error::internal("a node without a row"))?;
        record.take(node, runtime, now);
        let planned = plan.task(state, node.id);
        let name = plan.name(state, node.id);
        let display = planned.map(|task| task.display_name.clone()).unwrap_or_default();
        Ok(Task {
            id: record.id.clone(),
            run_id: self.run.clone(),
            parent_id,
            path: plan.path(state, node.id),
            display_name: match node.place {
                Place::Iteration(at) => format!("{display}[{at}]"),
                _ => display,
            },
            name,
            kind: planned.map_or(TaskKind::Dag, |task| kind(node.place, task)),
            state: runtime,
            created_at: record.created_at,
            started_at: record.started_at,
            finished_at: record.finished_at,
            attempt: node.attempt,
            history: record.history.clone(),
            error: node.error.clone(),
            cached_from: node.cached_from.clone().map(TaskId::from_text),
            fingerprint: node.fingerprint.clone().unwrap_or_default(),
            inputs: TaskIo {
                parameters: node.inputs.parameters.clone(),
                artifacts: lists(node.inputs.artifacts.clone(), to_row),
            },
            outputs: node.outputs.clone().map_or_else(TaskIo::default, |outputs| TaskIo {
                parameters: outputs.parameters,
                artifacts: lists(outputs.artifacts, to_row),
            }),
            engine: serde_json::to_string(node).map_err(Error::internal)?,
        })
    }
}

impl Record {
    fn take(&mut self, node: &Node, state: RuntimeState, now: Timestamp) {
        if self.history.last().is_none_or(|last| last.state != state) {
            let change = StateChange::new(now, state, node.error.clone());
            StateChange { attempt: node.attempt, ..change }.append_to(&mut self.history);
        }
        if state == RuntimeState::Running {
            self.started_at.get_or_insert(now);
        }
        match state.is_final() {
            true => drop(self.finished_at.get_or_insert(now)),
            // It may have been before the run was retried.
            false => self.finished_at = None,
        }
    }
}

/// What the run has given, if it has succeeded.
pub(super) fn run_outputs(state: &State) -> Option<TaskIo> {
    let outputs = state.run().outcome.clone()?.ok()?;
    Some(TaskIo { parameters: outputs.parameters, artifacts: lists(outputs.artifacts, to_row) })
}

/// Where the run as a whole stands, and what went wrong with it.
pub(super) fn run_state(state: &State) -> (RuntimeState, Option<String>) {
    match &state.run().outcome {
        Some(Ok(_)) => (RuntimeState::Succeeded, None),
        Some(Err(why)) => (RuntimeState::Failed, Some(why.clone())),
        None => (RuntimeState::Running, None),
    }
}

fn runtime_state(status: Status) -> RuntimeState {
    match status {
        Status::Pending | Status::Queued | Status::Waiting => RuntimeState::Pending,
        Status::Running => RuntimeState::Running,
        Status::Succeeded => RuntimeState::Succeeded,
        Status::Failed => RuntimeState::Failed,
        Status::Skipped => RuntimeState::Skipped,
    }
}

/// The SDK tells what a DAG is by the name that it gives it alone.
fn kind(place: Place, task: &engine::PlannedTask) -> TaskKind {
    match (place, &task.iterator, &task.body) {
        (Place::Iteration(_), ..) => TaskKind::LoopIteration,
        (_, Some(_), _) => TaskKind::Loop,
        (_, None, Body::Container(_)) => TaskKind::Runtime,
        (_, None, Body::Importer(_)) => TaskKind::Importer,
        (_, None, Body::Dag(_)) if task.name.starts_with("condition-branches-") => TaskKind::ConditionBranch,
        (_, None, Body::Dag(_)) if task.name.starts_with("condition-") => TaskKind::Condition,
        (_, None, Body::Dag(_)) if task.name.starts_with("exit-handler-") => TaskKind::ExitHandler,
        (_, None, Body::Dag(_)) => TaskKind::Dag,
    }
}

fn lists<A, B, C>(artifacts: std::collections::BTreeMap<String, Vec<A>>, each: impl Fn(A) -> B) -> C
where
    C: FromIterator<(String, Vec<B>)>,
{
    artifacts.into_iter().map(|(key, list)| (key, list.into_iter().map(&each).collect())).collect()
}

/// An artifact as the engine has it.
pub(super) fn to_engine(artifact: Artifact) -> engine::Artifact {
    engine::Artifact {
        id: artifact.id.to_string(),
        name: artifact.name,
        uri: artifact.uri,
        schema: ArtifactTypeSchema {
            schema_title: artifact.kind,
            schema_version: artifact.schema_version,
            instance_schema: artifact.instance_schema,
            ..ArtifactTypeSchema::default()
        },
        metadata: artifact.metadata,
        missing: !artifact.materialized,
    }
}

fn to_row(artifact: engine::Artifact) -> Artifact {
    Artifact {
        id: ArtifactId::from_text(artifact.id),
        name: artifact.name,
        kind: artifact.schema.schema_title,
        schema_version: artifact.schema.schema_version,
        instance_schema: artifact.schema.instance_schema,
        uri: artifact.uri,
        metadata: artifact.metadata,
        materialized: !artifact.missing,
    }
}
