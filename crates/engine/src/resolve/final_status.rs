//! How a task ended, for the task that runs whatever the end was (`PipelineTaskFinalStatus` of the SDK).
use super::Resolve;
use crate::{NodeId, State, Status};
use serde_json::{Map, Value, json};

impl Resolve<'_> {
    /// The status of a task of the same DAG, with the state under the name that ML metadata has for it, which is what
    /// components expect. Without a name it is the first that this task depends on.
    pub(super) fn final_status(&self, producer: &str) -> Value {
        let first = self.task.dependencies.first().zip(self.tree.dag(self.parent));
        let first = first.and_then(|(&at, dag)| dag.tasks.get(at)).map(|task| task.name.as_str());
        let producer = Some(producer).filter(|name| !name.is_empty()).or(first).unwrap_or_default();
        let state = self.tree.state;
        let node = self.tree.child(self.parent, producer);
        let error = node.and_then(|id| state.get(id).error.as_deref());
        let error = error.map_or_else(Map::new, |message| Map::from_iter([("message".to_owned(), message.into())]));
        json!({
            "state": node.map_or("CANCELED", |id| word(state, id)),
            "pipelineJobResourceName": self.tree.plan.resource_name(),
            "pipelineTaskName": producer,
            "error": error,
        })
    }
}

fn word(state: &State, id: NodeId) -> &'static str {
    let node = state.get(id);
    match node.status {
        Status::Succeeded if node.cached_from.is_some() => "CACHED",
        Status::Succeeded => "COMPLETE",
        Status::Failed => "FAILED",
        Status::Skipped => "CANCELED",
        Status::Pending | Status::Queued | Status::Running | Status::Waiting => "RUNNING",
    }
}
