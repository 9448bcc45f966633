//! What clients record of runs that another engine executes, checked.
use super::lineage::{TYPES, task_type};
use crate::{json, names, time, work::check_size};
use api::v2::{
    self, RuntimeState as Wire,
    artifact::ArtifactType,
    task::{InputOutputs, TaskType, input_outputs::IoProducer},
};
use domain::{
    ArtifactId, Direction, Error, Namespace, NewArtifact, NewLink, NewTask, Pod, Producer, Result, RunId, RuntimeState,
    TaskChange, TaskId, TaskKind,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use store::Same;

/// The most pods of a task, parameters that go in or come out, and facts about an artifact.
const MAX_PODS: usize = 100;
const MAX_PARAMETERS: usize = 1000;

/// A task that is to be recorded.
pub(super) fn task(task: v2::Task) -> Result<NewTask> {
    if !task.task_id.is_empty() {
        return Err(Error::invalid("task.task_id must be empty: the server makes it"));
    }
    names::name("task.name", &task.name, names::RUN)?;
    if task.name.contains('/') {
        return Err(Error::invalid("task.name contains a '/', which stands between the names of a path"));
    }
    let is_root = task.r#type() == TaskType::Root;
    if is_root && !task.parent_task_id.is_empty() {
        return Err(Error::invalid("task.type is ROOT, or left out, and a task inside of another one is no root"));
    }
    Ok(NewTask {
        run_id: RunId::from_text(task.run_id.clone()),
        parent_id: (!task.parent_task_id.is_empty()).then(|| TaskId::from_text(task.parent_task_id.clone())),
        name: task.name.clone(),
        kind: kind(task.r#type()).unwrap_or(TaskKind::Dag),
        is_root,
        change: change(task)?,
    })
}

/// What a task is to be for it to be changed, and what is to be changed of it.
pub(super) fn update(id: &str, task: v2::Task) -> Result<(Same, TaskChange)> {
    if !task.task_id.is_empty() && task.task_id != id {
        return Err(Error::invalid("task.task_id is not the task_id of the request"));
    }
    let same = Same {
        name: task.name.clone(),
        run_id: task.run_id.clone(),
        parent_id: task.parent_task_id.clone(),
        kind: kind(task.r#type()),
    };
    Ok((same, change(task)?))
}

/// An artifact that is to be recorded in a namespace.
pub(super) fn artifact(req: v2::CreateArtifactRequest, namespace: &Namespace) -> Result<NewArtifact> {
    let direction = direction(req.r#type());
    let artifact = req.artifact.unwrap_or_default();
    ids(&req.run_id, &req.task_id, "")?;
    if !artifact.artifact_id.is_empty() {
        return Err(Error::invalid("artifact.artifact_id must be empty: the server makes it"));
    }
    if !artifact.namespace.is_empty() && artifact.namespace != namespace.as_str() {
        let text = format!("artifact.namespace {:?} is not that of the run", artifact.namespace);
        return Err(Error::invalid(text));
    }
    names::name("artifact.name", &artifact.name, names::RUN)?;
    names::description(&artifact.description).map_err(|error| error.at("artifact"))?;
    let title = TYPES.into_iter().find(|(kind, _)| *kind == artifact.r#type()).map(|(_, title)| title);
    let Some(title) = title.filter(|_| artifact.r#type() != ArtifactType::TypeUnspecified) else {
        return Err(Error::invalid("artifact.type is required"));
    };
    let uri = artifact.uri.unwrap_or_default();
    if uri.is_empty() && artifact.number_value.is_none() {
        return Err(Error::invalid("artifact.uri is required, or a number_value"));
    }
    if !uri.is_empty() {
        place(&uri)?;
    }
    if artifact.number_value.is_some_and(|number| !number.is_finite()) {
        return Err(Error::invalid("artifact.number_value is not a number that JSON has"));
    }
    let producer = producer(req.producer_task_name, req.producer_key)?;
    // An output is called what its producer has called it.
    let key = producer.as_ref().filter(|_| direction == Direction::Output).map(|producer| producer.key.clone());
    Ok(NewArtifact {
        run_id: RunId::from_text(req.run_id),
        task_id: TaskId::from_text(req.task_id),
        direction,
        key: key.unwrap_or_else(|| artifact.name.clone()),
        producer,
        name: artifact.name,
        kind: title.to_owned(),
        uri,
        description: artifact.description,
        metadata: values("artifact.metadata", artifact.metadata)?,
        number: artifact.number_value,
    })
}

/// A link that is to be recorded.
pub(super) fn link(link: v2::ArtifactTask) -> Result<NewLink> {
    if !link.id.is_empty() {
        return Err(Error::invalid("artifact_task.id must be empty: the server makes it"));
    }
    ids(&link.run_id, &link.task_id, "artifact_task.")?;
    names::name("artifact_task.artifact_id", &link.artifact_id, names::RUN)?;
    names::name("artifact_task.artifact_key", &link.artifact_key, names::RUN)?;
    Ok(NewLink {
        direction: direction(link.r#type()),
        artifact_id: ArtifactId::from_text(link.artifact_id),
        run_id: RunId::from_text(link.run_id),
        task_id: TaskId::from_text(link.task_id),
        key: link.artifact_key,
        producer: producer(link.producer_task_name, link.producer_key)?,
    })
}

fn ids(run_id: &str, task_id: &str, at: &str) -> Result<()> {
    for (field, id) in [("run_id", run_id), ("task_id", task_id)] {
        if id.is_empty() {
            return Err(Error::invalid(format!("{at}{field} is required")));
        }
    }
    Ok(())
}

/// Passes the URI of another place than this host's disk, whose files a namespace has only by what its tasks put out.
fn place(uri: &str) -> Result<()> {
    names::name("artifact.uri", uri, names::URL)?;
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.');
    let is_remote = uri.split_once("://").is_some_and(|(scheme, rest)| {
        let begins = scheme.starts_with(|first: char| first.is_ascii_lowercase());
        begins && scheme.bytes().all(inner) && scheme != "file" && !rest.is_empty()
    });
    if is_remote {
        return Ok(());
    }
    Err(Error::invalid("artifact.uri must be a URI such as s3://bucket/object; one of a local file cannot be recorded"))
}

fn direction(wire: v2::ArtifactTaskType) -> Direction {
    match wire {
        v2::ArtifactTaskType::Input => Direction::Input,
        v2::ArtifactTaskType::Output => Direction::Output,
    }
}

/// None for the root, which is also what says nothing.
fn kind(wire: TaskType) -> Option<TaskKind> {
    use TaskKind::{Condition, ConditionBranch, Dag, ExitHandler, Loop, LoopIteration, Runtime};
    let kinds = [Runtime, ConditionBranch, Condition, Loop, LoopIteration, ExitHandler, Dag];
    kinds.into_iter().find(|kind| task_type(*kind) == wire)
}

fn producer(task: String, key: String) -> Result<Option<Producer>> {
    if task.is_empty() && key.is_empty() {
        return Ok(None);
    }
    names::name("producer_task_name", &task, names::RUN)?;
    names::name("producer_key", &key, names::RUN)?;
    Ok(Some(Producer { task, key }))
}

fn values(field: &str, map: impl IntoIterator<Item = (String, prost_types::Value)>) -> Result<Map<String, Value>> {
    let values = json::from_values(map).map_err(|error| error.at(field))?;
    check_size(&values).map_err(|error| error.at(field))?;
    Ok(values)
}

fn change(task: v2::Task) -> Result<TaskChange> {
    names::length("task.display_name", &task.display_name, names::RUN)?;
    names::length("task.cache_fingerprint", &task.cache_fingerprint, names::RUN)?;
    if !task.state_history.is_empty() || !task.child_tasks.is_empty() {
        return Err(Error::invalid("task.state_history and task.child_tasks are the server's to tell"));
    }
    if task.pods.len() > MAX_PODS {
        return Err(Error::invalid(format!("task.pods has more than {MAX_PODS} entries")));
    }
    for pod in &task.pods {
        for text in [&pod.name, &pod.uid, &pod.r#type] {
            names::length("a text of task.pods", text, names::RUN)?;
        }
    }
    let state = state(task.status())?;
    let error = task.error.map(|error| error.message).filter(|message| !message.is_empty());
    names::length("task.error.message", error.as_deref().unwrap_or_default(), names::URL)?;
    let given = |text: String| (!text.is_empty()).then_some(text);
    let (inputs, producers) = parameters("task.inputs", task.inputs)?;
    let (outputs, _) = parameters("task.outputs", task.outputs)?;
    let pod = |pod: v2::task::TaskPod| Pod { name: pod.name, uid: pod.uid, kind: pod.r#type };
    let metadata = values("task.status_metadata", task.status_metadata)?;
    Ok(TaskChange {
        display_name: given(task.display_name),
        state,
        error,
        created_at: time::read("task.create_time", task.create_time)?,
        started_at: time::read("task.start_time", task.start_time)?,
        finished_at: time::read("task.end_time", task.end_time)?,
        inputs,
        producers,
        outputs,
        pods: (!task.pods.is_empty()).then(|| task.pods.into_iter().map(pod).collect()),
        fingerprint: given(task.cache_fingerprint),
        status_metadata: (!metadata.is_empty()).then_some(metadata),
        iteration_index: task.type_attributes.map(|of| of.iteration_index),
        iteration_count: task.type_attributes.map(|of| of.iteration_count),
    })
}

fn state(wire: Wire) -> Result<Option<RuntimeState>> {
    Ok(Some(match wire {
        Wire::Unspecified => return Ok(None),
        Wire::Pending => RuntimeState::Pending,
        Wire::Running => RuntimeState::Running,
        Wire::Succeeded => RuntimeState::Succeeded,
        Wire::Skipped => RuntimeState::Skipped,
        Wire::Failed => RuntimeState::Failed,
        Wire::Canceling => RuntimeState::Canceling,
        Wire::Canceled | Wire::Paused => {
            return Err(Error::invalid(
                "task.status: a task ends SUCCEEDED, FAILED or SKIPPED here, and does not pause",
            ));
        }
    }))
}

/// Parameters with where they come from, by their names.
type Given = (Option<Map<String, Value>>, Option<BTreeMap<String, Producer>>);

fn parameters(field: &str, io: Option<InputOutputs>) -> Result<Given> {
    let Some(InputOutputs { parameters, artifacts }) = io else { return Ok((None, None)) };
    if !artifacts.is_empty() {
        return Err(Error::invalid(format!(
            "{field}.artifacts must be empty: record them by CreateArtifact and CreateArtifactTask"
        )));
    }
    if parameters.is_empty() {
        return Ok((None, None));
    }
    if parameters.len() > MAX_PARAMETERS {
        return Err(Error::invalid(format!("{field} has more than {MAX_PARAMETERS} parameters")));
    }
    let (mut found, mut producers) = (Map::new(), BTreeMap::new());
    for parameter in parameters {
        let name = parameter.name.unwrap_or_default();
        names::name(&format!("the name of a parameter of {field}"), &name, names::RUN)?;
        if let Some(IoProducer { task_name, key }) = parameter.producer
            && let Some(producer) = producer(task_name, key)?
        {
            producers.insert(name.clone(), producer);
        }
        if found.insert(name.clone(), Value::String(parameter.value)).is_some() {
            return Err(Error::invalid(format!("{field} has two parameters {name:?}")));
        }
    }
    check_size(&found).map_err(|error| error.at(field))?;
    Ok((Some(found), Some(producers)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_elsewhere_can_be_recorded() {
        for uri in ["s3://bucket/a", "gs://b/c", "https://host/x", "minio+tls://b/c", "oci://registry/model:1"] {
            place(uri).unwrap();
        }
        for uri in [
            "/etc/passwd",
            "etc/passwd",
            "../x",
            "file:///etc/passwd",
            "FILE:///etc/passwd",
            "File://localhost/etc/passwd",
            "file:/etc/passwd",
            "://x",
            "s3://",
            "s3:bucket/a",
            "/s3://bucket/a",
            " s3://bucket/a",
            "3s://bucket/a",
            "s3://bucket/\na",
            "s3://bucket/\0",
        ] {
            place(uri).unwrap_err();
        }
        place(&format!("s3://{}", "a".repeat(5000))).unwrap_err();
    }

    #[test]
    fn a_type_that_is_left_out_is_the_root() {
        let new = |text: TaskType, parent: &str| v2::Task {
            name: "x".into(),
            r#type: text.into(),
            parent_task_id: parent.into(),
            ..Default::default()
        };
        let root = task(new(TaskType::Root, "")).unwrap();
        assert_eq!((root.is_root, root.kind), (true, TaskKind::Dag));
        task(new(TaskType::Root, "parent")).unwrap_err();
        for (wire, kind) in [(TaskType::Dag, TaskKind::Dag), (TaskType::Runtime, TaskKind::Runtime)] {
            let new = task(new(wire, "parent")).unwrap();
            assert_eq!((new.is_root, new.kind), (false, kind));
        }
    }
}
