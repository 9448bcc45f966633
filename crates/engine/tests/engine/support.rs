//! Plans for tests: DAGs described by a line for each task.
use engine::{
    Command, Event, Failure, FailureKind, NodeId, Outputs, Plan, Rules, RunContext, State, Status, Success, step,
};
use serde_json::{Map, Value, json};
use spec::Package;

/// The document of a pipeline whose tasks are given as `(name, dependencies, retries)`.
///
/// Each task has an optional STRING input `from-<dependency>` for the output of each of its dependencies.
pub(crate) fn document(tasks: &[(String, Vec<String>, u32)]) -> Value {
    let mut components = Map::new();
    let mut specs = Map::new();
    for (name, dependencies, retries) in tasks {
        let declared: Map<_, _> = dependencies
            .iter()
            .map(|on| (format!("from-{on}"), json!({"parameterType": "STRING", "isOptional": true})))
            .collect();
        let wired: Map<_, _> = dependencies
            .iter()
            .map(|on| {
                (
                    format!("from-{on}"),
                    json!({"taskOutputParameter": {"producerTask": on, "outputParameterKey": "Output"}}),
                )
            })
            .collect();
        components.insert(
            format!("comp-{name}"),
            json!({
                "executorLabel": "exec",
                "inputDefinitions": {"parameters": declared},
                "outputDefinitions": {"parameters": {"Output": {"parameterType": "STRING"}}},
            }),
        );
        specs.insert(
            name.clone(),
            json!({
                "componentRef": {"name": format!("comp-{name}")},
                "dependentTasks": dependencies,
                "inputs": {"parameters": wired},
                "retryPolicy": {"maxRetryCount": retries, "backoffDuration": "10s", "backoffFactor": 2, "backoffMaxDuration": "3600s"},
            }),
        );
    }
    json!({
        "pipelineInfo": {"name": "p"},
        "schemaVersion": "2.1.0",
        "deploymentSpec": {"executors": {"exec": {"container": {"image": "i", "command": ["true"]}}}},
        "components": components,
        "root": {"dag": {"tasks": specs}},
    })
}

/// The plan of a document, with these parameters.
pub(crate) fn plan(document: &Value, parameters: &Value) -> domain::Result<Plan> {
    let context = RunContext {
        run_id: "run-1".into(),
        run_name: "my run".into(),
        created_at: domain::Timestamp::from_seconds(0),
        scheduled_at: domain::Timestamp::from_seconds(60),
        pipeline_root: "/root".into(),
        workspace: "/workspace".into(),
    };
    Plan::new(&Package::from_json(document).unwrap(), parameters.as_object().unwrap(), context, Rules::default())
}

/// The node at a path of a run.
pub(crate) fn node(plan: &Plan, state: &State, path: &str) -> Option<NodeId> {
    state.nodes().iter().map(|node| node.id).find(|&id| plan.path(state, id) == path)
}

/// Where the node at a path stands; pending if it is not there yet.
pub(crate) fn status(plan: &Plan, state: &State, path: &str) -> Status {
    node(plan, state, path).and_then(|id| state.node(id)).map(|node| node.status).unwrap_or_default()
}

/// Why the node at a path failed, was skipped or is tried again.
pub(crate) fn error(plan: &Plan, state: &State, path: &str) -> Option<String> {
    state.node(node(plan, state, path)?)?.error.clone()
}

/// An event that names its node by path.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    Run(Event),
    Began(&'static str, u32),
    Ended(&'static str, u32, Result<Outputs, FailureKind>),
    Due(&'static str),
}

/// The task gave one parameter, `Output`, with its own name.
pub(crate) fn good(task: &'static str, attempt: u32) -> Say {
    let parameters = [("Output".to_owned(), json!(task))].into_iter().collect();
    Say::Ended(task, attempt, Ok(Outputs { parameters, ..Outputs::default() }))
}

/// The task failed.
pub(crate) fn bad(task: &'static str, attempt: u32) -> Say {
    Say::Ended(task, attempt, Err(FailureKind::Error))
}

/// Somebody terminates the run.
pub(crate) fn stop(by: &str) -> Say {
    Say::Run(Event::Stop { why: format!("terminated by {by}") })
}

impl Say {
    fn event(&self, plan: &Plan, state: &State) -> Event {
        let node = |path: &str| node(plan, state, path).unwrap_or(NodeId(u32::MAX));
        match self {
            Self::Run(event) => event.clone(),
            Self::Began(path, attempt) => Event::Began { node: node(path), attempt: *attempt },
            Self::Due(path) => Event::RetryDue { node: node(path) },
            Self::Ended(path, attempt, result) => {
                let failed = |kind| Failure { message: "exit code 1".into(), kind, outputs: Outputs::default() };
                let result = result.clone().map_err(failed);
                let result = result.map(|outputs| Success { outputs, cached_from: None });
                Event::Finished { node: node(path), attempt: *attempt, result }
            }
        }
    }
}

/// Sends events and compares the commands, one short line for each event. Between steps the state is what is stored.
#[track_caller]
pub(crate) fn check(plan: &Plan, script: &[(Say, &str)]) -> State {
    let mut state = State::default();
    for (say, expect) in script {
        let event = say.event(plan, &state);
        let (next, commands) = step(plan, state, event);
        state = next;
        let told: Vec<_> = commands.iter().map(|command| tell(plan, &state, command)).collect();
        assert_eq!(told.join("; "), *expect, "after {say:?}");
    }
    state
}

fn tell(plan: &Plan, state: &State, command: &Command) -> String {
    let path = |node: &NodeId| plan.path(state, *node);
    match command {
        Command::Launch { node, attempt, .. } => format!("launch {} {attempt}", path(node)),
        Command::RetryAfter { node, delay } => format!("retry {} after {delay:?}", path(node)),
        Command::Kill { node } => format!("kill {}", path(node)),
        Command::Finish { result: Ok(_) } => "done".into(),
        Command::Finish { result: Err(message) } => message.clone(),
    }
}
