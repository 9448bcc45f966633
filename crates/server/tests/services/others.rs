//! Metrics, tasks, reports, authorization, filters, visualizations.
use crate::world::{ABSENT, NEVER, World, encoded, inline, same, text};
use serde_json::{Value, json};

const RUNS: &str = "/apis/v1beta1/runs";
const TASKS: &str = "/apis/v1alpha1/tasks";

#[tokio::test]
async fn each_metric_is_judged_by_itself() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let id = text(&world.run(&experiment, "r").await, "run_id");
    let path = format!("{RUNS}/{id}:reportMetrics");
    let metrics = json!({"metrics": [
        {"name": "loss", "node_id": "n", "number_value": 0.5, "format": "RAW"},
        {"name": "loss", "node_id": "n", "number_value": 0.4},
        {"name": "1st", "node_id": "n", "number_value": 1},
        {"name": "a", "node_id": "", "number_value": 1},
        {"name": "a", "node_id": "n"},
    ]});
    let results = world.post(&path, metrics).await;
    let statuses: Vec<_> = results["results"].as_array().unwrap().iter().map(|result| &result["status"]).collect();
    assert_eq!(statuses, ["OK", "DUPLICATE_REPORTING", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "INVALID_ARGUMENT"]);
    let metrics = json!([{"name": "loss", "node_id": "n", "number_value": 0.5, "format": "RAW"}]);
    same(&world.get(&format!("{RUNS}/{id}")).await["run"]["metrics"], &metrics);
    let list = format!("{RUNS}?resource_reference_key.type=NAMESPACE&resource_reference_key.id=team");
    same(&world.get(&list).await["runs"][0]["metrics"], &metrics);
    assert_eq!(world.post(&path, json!({})).await, json!({}));
    let many: Vec<_> = (0..501).map(|_| json!({"name": "a", "node_id": "n", "number_value": 1})).collect();
    world.refused("POST", &path, json!({"metrics": many}), (400, 3), "at most 500").await;
    let absent = format!("{RUNS}/{ABSENT}:reportMetrics");
    world.refused("POST", &absent, json!({}), (404, 5), "not found").await;
}

#[tokio::test]
async fn tasks_are_reported_and_listed() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let run = text(&world.run(&experiment, "r").await, "run_id");
    let task = json!({
        "pipelineName": "pipeline/train", "runId": run, "mlmdExecutionID": "7", "fingerprint": "f",
        "created_at": "2023-01-02T03:04:05Z",
    });
    let made = world.post(TASKS, task.clone()).await;
    let mut expect = task.clone();
    expect["id"] = made["id"].clone();
    expect["namespace"] = "team".into();
    expect["finished_at"] = NEVER.into();
    same(&made, &expect);
    let list = json!({"tasks": [expect], "total_size": 1});
    let filter = r#"{"predicates":[{"op":1,"key":"fingerprint","string_value":"f"}]}"#;
    for query in [
        format!("run_id={run}"),
        "resource_reference_key.type=NAMESPACE&resource_reference_key.id=team".to_owned(),
        format!("run_id={run}&filter={}", encoded(filter)),
    ] {
        same(&world.get(&format!("{TASKS}?{query}")).await, &list);
    }
    world.refused("GET", TASKS, Value::Null, (400, 3), "does not name a").await;
    for (field, value, words) in [
        ("runId", "", "does not name a run"),
        ("runId", ABSENT, "not found"),
        ("id", "x", "task.id must be empty"),
        ("namespace", "other", "is not that of the task's run"),
        ("fingerprint", "", "task.fingerprint is required"),
        ("pipelineName", "", "task.pipelineName is required"),
        ("pipelineName", "namespace/other/pipeline/p", "must be namespace/NAMESPACE/pipeline/NAME"),
        ("mlmdExecutionID", "", "task.mlmdExecutionID is required"),
        ("created_at", NEVER, "task.created_at is required"),
    ] {
        let mut wrong = task.clone();
        wrong[field] = value.into();
        let refusal = if value == ABSENT { (404, 5) } else { (400, 3) };
        world.refused("POST", TASKS, wrong, refusal, words).await;
    }
}

fn workflow(run: &str, owner: Option<&str>, phase: &str) -> Value {
    let owners: Vec<_> = owner.iter().map(|uid| json!({"kind": "ScheduledWorkflow", "uid": uid})).collect();
    let document = json!({
        "metadata": {
            "name": "nightly-1", "namespace": "", "uid": "u", "ownerReferences": owners,
            "labels": {"pipeline/runid": run, "scheduledworkflows.kubeflow.org/workflowEpoch": "1700000000"},
        },
        "status": {"phase": phase, "nodes": {"n-1": {"displayName": "say", "phase": phase}}},
    });
    Value::String(document.to_string().replace(r#""namespace":"""#, r#""namespace":"team""#))
}

#[tokio::test]
async fn reports_take_the_right_over_the_cluster() {
    let world = World::new().await;
    for version in ["v1beta1", "v2beta1"] {
        for kind in ["workflows", "scheduledworkflows"] {
            let path = format!("/apis/{version}/{kind}");
            world.refused("POST", &path, workflow("r", None, "Running"), (403, 7), "in the whole cluster").await;
        }
    }
    let world = World::reporter().await;
    let experiment = world.experiment("team", "exp").await;
    let id = text(&world.run(&experiment, "r").await, "run_id");
    for version in ["v1beta1", "v2beta1"] {
        let path = format!("/apis/{version}/workflows");
        for (report, status, words) in [
            (workflow(&id, None, "Succeeded"), (400, 9), "is executed by this server"),
            (workflow("absent", None, "Succeeded"), (404, 5), "Run absent not found"),
            (workflow("absent", Some(ABSENT), "Succeeded"), (404, 5), "Run absent not found"),
            (workflow("", None, "Succeeded"), (400, 3), "pipeline/runid"),
            (workflow("../up", None, "Succeeded"), (400, 3), "the run's id must be"),
            ("{".into(), (400, 3), "workflow is not understood"),
            ("".into(), (400, 3), "workflow is not understood"),
            (json!({"metadata": {"name": "x"}}).to_string().into(), (400, 3), "metadata.namespace is missing"),
        ] {
            world.refused("POST", &path, report, status, words).await;
        }
        let path = format!("/apis/{version}/scheduledworkflows");
        let report = workflow("r", None, "");
        world.refused("POST", &path, report, (404, 5), "RecurringRun u not found").await;
        world.refused("POST", &path, "[]".into(), (400, 3), "scheduled_workflow").await;
    }
}

/// A recurring run, and a workflow that it has started elsewhere.
#[tokio::test]
async fn a_reported_run_is_never_executed_here() {
    let world = World::reporter().await;
    let experiment = world.experiment("team", "exp").await;
    let mut recurring = inline(&experiment, "nightly");
    recurring["max_concurrency"] = "1".into();
    let owner = text(&world.post("/apis/v2beta1/recurringruns", recurring).await, "recurring_run_id");
    let report = workflow("r", Some(&owner), "Running");
    let odd = report
        .as_str()
        .unwrap()
        .replace("1700000000", "9000000000000")
        .replace(r#""phase":"Running"}}"#, r#""phase":"Running","startedAt":"-005000-01-01T00:00:00Z"}}"#);
    world.post("/apis/v2beta1/workflows", odd.into()).await;
    world.executor.take();
    let mut again = inline(&experiment, "nightly-1");
    again["recurring_run_id"] = owner.clone().into();
    let run = world.post("/apis/v2beta1/runs", again).await;
    assert_eq!(
        (&run["run_id"], &run["state"], &run["recurring_run_id"]),
        (&json!("r"), &json!("RUNNING"), &json!(owner))
    );
    assert_eq!(world.executor.take(), [], "there is nothing to execute");
    for list in ["/apis/v2beta1/runs?namespace=team", "/apis/v2beta1/runs/r", "/apis/v1beta1/runs/r"] {
        world.get(list).await;
    }
    let detail = world.get("/apis/v1beta1/runs/r").await;
    assert!(text(&detail["pipeline_runtime"], "workflow_manifest").contains("ScheduledWorkflow"), "{detail:#}");
    for path in ["/apis/v2beta1/runs/r:terminate", "/apis/v2beta1/runs/r:retry"] {
        world.refused("POST", path, Value::Null, (400, 9), "is executed by another engine").await;
    }
}

#[tokio::test]
async fn authorization_is_answered_by_admission() {
    let world = World::new().await;
    for version in ["v1beta1", "v2beta1"] {
        let path = |query: &str| format!("/apis/{version}/auth?{query}");
        let refused = "jane may not get viewers.kubeflow.org in namespace team";
        let ask = path("namespace=team&resources=VIEWERS&verb=GET");
        world.refused("GET", &ask, Value::Null, (403, 7), refused).await;
        world.refused("GET", &path("namespace=team&resources=VIEWERS"), Value::Null, (400, 3), "a verb").await;
        world.refused("GET", &path("verb=GET"), Value::Null, (400, 3), "a namespace").await;
    }
    let world = World::single_user().await;
    for version in ["v1beta1", "v2beta1"] {
        let path = format!("/apis/{version}/auth?namespace=x&verb=DELETE");
        assert_eq!(world.get(&format!("{path}&resources=VIEWERS")).await, json!({}));
        world.refused("GET", &path, Value::Null, (400, 3), "resources").await;
    }
}

#[tokio::test]
async fn filters_come_back_and_visualizations_do_not() {
    let world = World::new().await;
    for version in ["v1beta1", "v2beta1"] {
        assert_eq!(world.get(&format!("/apis/{version}/filters")).await, json!({}));
        let path = format!("/apis/{version}/visualizations/team");
        world.refused("POST", &path, json!({"type": "TABLE"}), (501, 12), "visualizations are not made").await;
        let path = format!("/apis/{version}/visualizations/foreign");
        world.refused("POST", &path, json!({}), (403, 7), "may not create visualizations").await;
    }
}
