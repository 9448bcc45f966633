//! Plans for tests: DAGs described by a line for each task.
#![expect(clippy::unwrap_used, reason = "tests may panic")]
use engine::{Plan, RunContext};
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
    };
    Plan::new(&Package::from_json(document).unwrap(), parameters.as_object().unwrap(), context)
}
