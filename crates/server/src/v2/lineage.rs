//! Artifacts and tasks as messages of v2beta1.
use super::messages::{change, failure, state};
use crate::{json, time};
use api::v2::{
    self,
    artifact::ArtifactType,
    task::{
        Child, InputOutputs, TaskPod, TaskType, TypeAttributes,
        input_outputs::{IoArtifact, IoProducer, Parameter},
    },
};
use domain::{ArtifactLink, Direction, KeptArtifact, KeptTask, Producer, Task, TaskKind};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// The types that clients know, by the titles of schemas.
pub(super) const TYPES: [(ArtifactType, &str); 8] = [
    (ArtifactType::Artifact, "system.Artifact"),
    (ArtifactType::Model, "system.Model"),
    (ArtifactType::Dataset, "system.Dataset"),
    (ArtifactType::Html, "system.HTML"),
    (ArtifactType::Markdown, "system.Markdown"),
    (ArtifactType::Metric, "system.Metrics"),
    (ArtifactType::ClassificationMetric, "system.ClassificationMetrics"),
    (ArtifactType::SlicedClassificationMetric, "system.SlicedClassificationMetrics"),
];

/// What messages call the tasks that rows know; an importer is a kind of container there.
pub(super) fn task_type(kind: TaskKind) -> TaskType {
    match kind {
        TaskKind::Runtime | TaskKind::Importer => TaskType::Runtime,
        TaskKind::Dag => TaskType::Dag,
        TaskKind::ConditionBranch => TaskType::ConditionBranch,
        TaskKind::Condition => TaskType::Condition,
        TaskKind::Loop => TaskType::Loop,
        TaskKind::LoopIteration => TaskType::LoopIteration,
        TaskKind::ExitHandler => TaskType::ExitHandler,
    }
}

pub(super) fn artifact_message(kept: &KeptArtifact) -> v2::Artifact {
    let KeptArtifact { artifact, .. } = kept;
    let of_title = TYPES.into_iter().find(|(_, title)| *title == artifact.kind);
    v2::Artifact {
        artifact_id: artifact.id.to_string(),
        name: artifact.name.clone(),
        description: kept.description.clone(),
        r#type: of_title.map_or(ArtifactType::TypeUnspecified, |(kind, _)| kind).into(),
        uri: (!artifact.uri.is_empty()).then(|| artifact.uri.clone()),
        metadata: values(&artifact.metadata),
        number_value: kept.number,
        created_at: time::wire(kept.created_at),
        namespace: kept.namespace.to_string(),
    }
}

pub(super) fn link_message(link: &ArtifactLink) -> v2::ArtifactTask {
    let Producer { task, key } = link.producer.clone().unwrap_or_default();
    v2::ArtifactTask {
        id: link.id.clone(),
        artifact_id: link.artifact_id.to_string(),
        run_id: link.run_id.to_string(),
        task_id: link.task_id.to_string(),
        r#type: match link.direction {
            Direction::Input => v2::ArtifactTaskType::Input,
            Direction::Output => v2::ArtifactTaskType::Output,
        }
        .into(),
        producer_task_name: task,
        producer_key: key,
        artifact_key: link.key.clone(),
    }
}

pub(super) fn task_message(kept: &KeptTask) -> v2::Task {
    let (task, recorded) = (&kept.task, kept.recorded.clone().unwrap_or_default());
    let mut status_metadata = values(&recorded.status_metadata);
    if let Some(id) = &task.cached_from {
        status_metadata.insert("cached_task_id".to_owned(), json::to_wire(Value::String(id.to_string())));
    }
    let pod = |pod: domain::Pod| TaskPod { name: pod.name, uid: pod.uid, r#type: pod.kind };
    let child =
        |(id, name): &(domain::TaskId, String)| Child { task_id: id.to_string(), name: name.clone(), pods: Vec::new() };
    let index = recorded.iteration_index.or_else(|| iteration(task));
    let fingerprint = if kept.recorded.is_some() { recorded.fingerprint } else { task.fingerprint.clone() };
    v2::Task {
        name: task.name.clone(),
        display_name: task.display_name.clone(),
        task_id: task.id.to_string(),
        run_id: task.run_id.to_string(),
        pods: recorded.pods.into_iter().map(pod).collect(),
        cache_fingerprint: fingerprint,
        create_time: time::wire(task.created_at),
        start_time: time::wire(task.started_at),
        end_time: time::wire(task.finished_at),
        status: state(task.state).into(),
        status_metadata,
        state_history: task.history.iter().map(change).collect(),
        r#type: if recorded.root { TaskType::Root } else { task_type(task.kind) }.into(),
        type_attributes: (index.is_some() || recorded.iteration_count.is_some()).then(|| TypeAttributes {
            iteration_index: index.unwrap_or_default(),
            iteration_count: recorded.iteration_count.unwrap_or_default(),
        }),
        error: task.error.clone().map(failure),
        parent_task_id: task.parent_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        child_tasks: kept.children.iter().map(child).collect(),
        inputs: Some(io(&task.inputs.parameters, &recorded.producers, &kept.inputs)),
        outputs: Some(io(&task.outputs.parameters, &BTreeMap::new(), &kept.outputs)),
    }
}

/// The number of an iteration, which is the last part of its path.
fn iteration(task: &Task) -> Option<i64> {
    let number = task.path.strip_suffix(']')?.rsplit_once('[')?.1;
    number.parse().ok().filter(|_| task.kind == TaskKind::LoopIteration)
}

fn io(
    parameters: &Map<String, Value>,
    producers: &BTreeMap<String, Producer>,
    artifacts: &[(String, KeptArtifact)],
) -> InputOutputs {
    let producer = |Producer { task, key }: &Producer| IoProducer { task_name: task.clone(), key: key.clone() };
    let parameters = parameters.iter().map(|(name, value)| Parameter {
        value: match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
        name: Some(name.clone()),
        producer: producers.get(name).map(producer),
    });
    let artifacts = artifacts.iter().map(|(name, kept)| IoArtifact {
        parameter_name: name.clone(),
        value: Some(artifact_message(kept)),
        producer: kept.producer.as_ref().map(producer),
    });
    InputOutputs { parameters: parameters.collect(), artifacts: artifacts.collect() }
}

fn values(map: &Map<String, Value>) -> HashMap<String, prost_types::Value> {
    map.iter().map(|(key, value)| (key.clone(), json::to_wire(value.clone()))).collect()
}
