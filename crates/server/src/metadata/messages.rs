//! Nodes as messages, with the properties by which KFP's driver and launcher describe runs, tasks and artifacts there.
use crate::json::{to_struct, to_wire};
use api::ml_metadata::{Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType, Value, value};
use domain::{
    RuntimeState, Task, TaskKind, Timestamp,
    metadata::{Node, NodeContent, NodeEvent, NodeType},
};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// A message that something is shown as.
pub(crate) trait Shown<T> {
    fn shown(from: T) -> Self;
}

pub(crate) type Properties = HashMap<String, Value>;

impl Shown<Node> for Artifact {
    fn shown(node: Node) -> Self {
        use api::ml_metadata::artifact::State;
        let custom_properties = properties(&node);
        let (uri, there) = match node.content {
            NodeContent::Artifact(artifact) => (artifact.uri, artifact.materialized),
            _ => (String::new(), false),
        };
        Self {
            id: Some(node.id),
            name: some(node.name),
            type_id: Some(node.node_type.id),
            r#type: Some(node.node_type.name),
            uri: Some(uri),
            custom_properties,
            state: Some(if there { State::Live } else { State::Deleted }.into()),
            create_time_since_epoch: Some(millis(node.created_at)),
            last_update_time_since_epoch: Some(millis(node.updated_at)),
            ..Self::default()
        }
    }
}

impl Shown<Node> for Execution {
    fn shown(node: Node) -> Self {
        let custom_properties = properties(&node);
        Self {
            id: Some(node.id),
            last_known_state: Some(state(&node).into()),
            name: some(node.name),
            type_id: Some(node.node_type.id),
            r#type: Some(node.node_type.name),
            custom_properties,
            create_time_since_epoch: Some(millis(node.created_at)),
            last_update_time_since_epoch: Some(millis(node.updated_at)),
            ..Self::default()
        }
    }
}

impl Shown<Node> for Context {
    fn shown(node: Node) -> Self {
        let custom_properties = properties(&node);
        Self {
            id: Some(node.id),
            name: some(node.name),
            type_id: Some(node.node_type.id),
            r#type: Some(node.node_type.name),
            custom_properties,
            create_time_since_epoch: Some(millis(node.created_at)),
            last_update_time_since_epoch: Some(millis(node.updated_at)),
            ..Self::default()
        }
    }
}

macro_rules! types {
    ($($message:ident),+) => {$(
        impl Shown<NodeType> for $message {
            fn shown(from: NodeType) -> Self {
                Self { id: Some(from.id), name: Some(from.name), ..Self::default() }
            }
        }
    )+};
}

types!(ArtifactType, ExecutionType, ContextType);

impl Shown<NodeEvent> for Event {
    fn shown(event: NodeEvent) -> Self {
        use api::ml_metadata::event::{
            Path, Type,
            path::{Step, step},
        };
        let step = Step { value: Some(step::Value::Key(event.name)) };
        Self {
            artifact_id: Some(event.artifact),
            execution_id: Some(event.execution),
            path: Some(Path { steps: vec![step] }),
            r#type: Some(if event.is_output { Type::Output } else { Type::Input }.into()),
            milliseconds_since_epoch: Some(millis(event.at)),
            system_metadata: None,
        }
    }
}

/// How an execution stands. What was skipped is told as KFP's driver tells it.
pub(crate) fn state(node: &Node) -> api::ml_metadata::execution::State {
    use api::ml_metadata::execution::State;
    let (state, cached) = match &node.content {
        NodeContent::Task { task, .. } => (task.state, task.cached_from.is_some()),
        NodeContent::Root { state, .. } => (*state, false),
        NodeContent::Artifact(_) | NodeContent::Run { .. } | NodeContent::Pipeline => return State::Unknown,
    };
    match state {
        RuntimeState::Pending => State::New,
        RuntimeState::Running | RuntimeState::Canceling => State::Running,
        RuntimeState::Succeeded if cached => State::Cached,
        RuntimeState::Succeeded => State::Complete,
        RuntimeState::Failed => State::Failed,
        RuntimeState::Skipped => State::Canceled,
    }
}

/// The custom properties of a node; there are no others, since none of its types declares any.
pub(crate) fn properties(node: &Node) -> Properties {
    let namespace = text(node.namespace.as_str());
    match &node.content {
        NodeContent::Task { task, parent, cached_from, children } => {
            let mut all = of_task(task, *children);
            all.insert("namespace".to_owned(), namespace);
            all.insert("parent_dag_id".to_owned(), int(*parent));
            if *cached_from != 0 {
                all.insert("cached_execution_id".to_owned(), text(&cached_from.to_string()));
            }
            all
        }
        NodeContent::Root { inputs, outputs, children, .. } => named([
            ("display_name", text("")),
            ("task_name", text("")),
            ("namespace", namespace),
            ("inputs", object(inputs)),
            ("outputs", object(outputs)),
            ("total_dag_tasks", int(*children)),
        ]),
        NodeContent::Artifact(artifact) => {
            let mut all = named([("display_name", text(&artifact.name))]);
            let metadata = artifact.metadata.iter();
            all.extend(metadata.filter_map(|(key, value)| Some((key.clone(), of_json(value)?))));
            all
        }
        NodeContent::Run { pipeline_root } => named([
            ("namespace", namespace),
            ("resource_name", text("run-resource")),
            ("pipeline_root", text(pipeline_root)),
        ]),
        NodeContent::Pipeline => Properties::new(),
    }
}

fn of_task(task: &Task, children: i64) -> Properties {
    // An iteration is called like its loop, and its number is a property of its own.
    let (name, iteration) = match task.name.strip_suffix(']').and_then(|name| name.rsplit_once('[')) {
        Some((name, number)) if task.kind == TaskKind::LoopIteration => (name, number.parse().ok()),
        _ => (task.name.as_str(), None),
    };
    let display_name = if task.display_name.is_empty() { name } else { &task.display_name };
    let mut all = named([
        ("display_name", text(display_name)),
        ("task_name", text(name)),
        ("inputs", object(&task.inputs.parameters)),
        ("outputs", object(&task.outputs.parameters)),
    ]);
    if let Some(number) = iteration {
        all.insert("iteration_index".to_owned(), int(number));
    }
    match task.kind {
        TaskKind::Runtime | TaskKind::Importer => {}
        TaskKind::Loop => drop(all.insert("iteration_count".to_owned(), int(children))),
        TaskKind::Dag
        | TaskKind::ConditionBranch
        | TaskKind::Condition
        | TaskKind::LoopIteration
        | TaskKind::ExitHandler => drop(all.insert("total_dag_tasks".to_owned(), int(children))),
    }
    if !task.fingerprint.is_empty() {
        all.insert("cache_fingerprint".to_owned(), text(&task.fingerprint));
    }
    all
}

/// A value of metadata, as KFP's launcher writes it: numbers as doubles, truth as 0 or 1, and what has members inside of a
/// structure.
fn of_json(value: &Json) -> Option<Value> {
    let inside = |key: &str, value: &Json| {
        let fields = [(key.to_owned(), to_wire(value.clone()))].into_iter().collect();
        value::Value::StructValue(prost_types::Struct { fields })
    };
    let value = match value {
        Json::Null => return None,
        Json::Bool(value) => value::Value::IntValue((*value).into()),
        Json::Number(value) => value::Value::DoubleValue(value.as_f64()?),
        Json::String(value) => value::Value::StringValue(value.clone()),
        Json::Array(_) => inside("list", value),
        Json::Object(_) => inside("struct", value),
    };
    Some(Value { value: Some(value) })
}

fn named<const N: usize>(all: [(&str, Value); N]) -> Properties {
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(text: &str) -> Value {
    Value { value: Some(value::Value::StringValue(text.to_owned())) }
}

fn int(number: i64) -> Value {
    Value { value: Some(value::Value::IntValue(number)) }
}

fn object(fields: &Map<String, Json>) -> Value {
    Value { value: Some(value::Value::StructValue(to_struct(fields.clone()))) }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

pub(crate) fn millis(time: Timestamp) -> i64 {
    time.0.div_euclid(1000)
}
