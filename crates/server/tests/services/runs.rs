//! Runs: what they are made from, what is refused, and when the executor hears of them.
use crate::world::{ABSENT, World, inline, same, text};
use serde_json::{Value, json};

const V1: &str = "/apis/v1beta1/runs";
const V2: &str = "/apis/v2beta1/runs";

/// A request for a run of a stored pipeline.
fn stored(experiment: &str, pipeline: &str, version: &str) -> Value {
    let mut new = inline(experiment, "r");
    new.as_object_mut().unwrap().remove("pipeline_spec");
    let mut source = json!({"pipeline_id": pipeline, "pipeline_version_id": version});
    source.as_object_mut().unwrap().retain(|_, id| id != "");
    new["pipeline_version_reference"] = source;
    new
}

#[tokio::test]
async fn of_a_version_or_of_the_latest_one() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (pipeline, first) = world.pipeline("team", "p").await;
    world.tick();
    let second = world.version(&pipeline, "v2").await;
    for (asked, version, expect) in
        [(&*pipeline, &*first, &first), ("", &first, &first), (&pipeline, &second, &second), (&pipeline, "", &second)]
    {
        let run = world.post(V2, stored(&experiment, asked, version)).await;
        let expect = json!({"pipeline_id": pipeline, "pipeline_version_id": expect});
        same(&run["pipeline_version_reference"], &expect);
    }
    let mut old = inline(&experiment, "r");
    old.as_object_mut().unwrap().remove("pipeline_spec");
    old["pipeline_version_id"] = json!(first);
    let run = world.post(V2, old).await;
    assert_eq!(run["pipeline_version_reference"]["pipeline_id"], pipeline, "{run:#}");
}

#[tokio::test]
async fn of_v1_by_references() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (pipeline, first) = world.pipeline("team", "p").await;
    world.tick();
    let second = world.version(&pipeline, "v2").await;
    let reference = |kind: &str, id: &str, relationship: &str| json!({"key": {"type": kind, "id": id}, "relationship": relationship});
    let owner = reference("EXPERIMENT", &experiment, "OWNER");
    let config = json!({"runtime_config": {"parameters": {"n": 3}}});
    for (source, expect) in [
        (reference("PIPELINE_VERSION", &first, "CREATOR"), &first),
        (reference("PIPELINE", &pipeline, "CREATOR"), &second),
    ] {
        let new = json!({"name": "r", "pipeline_spec": config, "resource_references": [owner, source]});
        let detail = world.post(V1, new).await;
        let run = world.get(&format!("{V2}/{}", text(&detail["run"], "id"))).await;
        assert_eq!(run["pipeline_version_reference"]["pipeline_version_id"], *expect, "{detail:#}");
    }
    let manifest = crate::world::pipeline().to_string();
    let spec = json!({"pipeline_manifest": manifest, "runtime_config": {"parameters": {"n": 3}}});
    let detail = world.post(V1, json!({"name": "r", "pipeline_spec": spec, "resource_references": [owner]})).await;
    assert_eq!(detail["run"]["resource_references"].as_array().unwrap().len(), 2, "{detail:#}");

    let in_other = reference("NAMESPACE", "other", "OWNER");
    let new = json!({"name": "r", "pipeline_spec": spec, "resource_references": [owner, in_other]});
    let (status, answer) = world.ask("POST", V1, &new).await;
    assert_eq!((status, &answer["code"]), (400, &json!(3)), "{answer:#}");
}

#[tokio::test]
async fn pipelines_of_other_namespaces_can_be_used_where_they_can_be_read() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (pipeline, version) = world.pipeline("other", "p").await;
    let run = world.post(V2, stored(&experiment, &pipeline, &version)).await;
    assert_eq!(world.executor.take(), [("team".to_owned(), text(&run, "run_id"))]);
}

#[tokio::test]
async fn parameters_are_checked() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    for (parameters, words) in [
        (json!({}), "parameter \"n\": a value of type"),
        (json!({"n": "3"}), "parameter \"n\": type"),
        (json!({"n": 3, "x": 1}), "the pipeline has no parameters x; it has: "),
        (json!({"n": 3, "s": 1}), "parameter \"s\": type"),
        (json!({"n": 3, "mode": "idle"}), "is not one of the allowed values: \"fast\", \"slow\""),
    ] {
        let mut new = inline(&experiment, "r");
        new["runtime_config"]["parameters"] = parameters;
        world.refused("POST", V2, new, (400, 3), words).await;
    }
    assert_eq!(world.executor.take(), []);
    // KFP does not ask whether the value of an integer is whole.
    for parameters in [json!({"n": -3, "s": "", "mode": "slow"}), json!({"n": 3.5})] {
        let mut new = inline(&experiment, "r");
        new["runtime_config"]["parameters"] = parameters;
        world.post(V2, new).await;
    }
}

#[tokio::test]
async fn what_is_refused_wakes_nobody() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (one, version) = world.pipeline("team", "one").await;
    let (two, _) = world.pipeline("team", "two").await;
    let with = |field: &str, value: Value| {
        let mut new = inline(&experiment, "r");
        new[field] = value;
        new
    };
    let without = |field: &str| {
        let mut new = inline(&experiment, "r");
        new.as_object_mut().unwrap().remove(field);
        new
    };
    let not_found = |kind: &str| format!("{kind} {ABSENT} not found");
    let mut old = crate::world::pipeline();
    old["schemaVersion"] = "2.0.0".into();
    let mut custom = crate::world::pipeline();
    custom["deploymentSpec"]["executors"] = json!({"exec-say": {"customJob": {}}});
    for (new, status, words) in [
        (without("display_name"), (400, 3), "(display_name) is required".to_owned()),
        (with("display_name", json!("x".repeat(256))), (400, 3), "at most 255".to_owned()),
        (without("experiment_id"), (400, 3), "does not name an experiment".to_owned()),
        (with("experiment_id", json!(ABSENT)), (404, 5), not_found("Experiment")),
        (without("pipeline_spec"), (400, 3), "does not say what to execute".to_owned()),
        (with("pipeline_spec", json!({})), (400, 3), "document 1".to_owned()),
        (with("pipeline_spec", old), (400, 3), "schemaVersion".to_owned()),
        (with("pipeline_spec", custom), (501, 12), "a customJob".to_owned()),
        (with("plugins_input", json!({"p": {}})), (400, 3), "plugins_input".to_owned()),
        (stored(&experiment, &one, ABSENT), (404, 5), not_found("PipelineVersion")),
        (stored(&experiment, ABSENT, &version), (404, 5), not_found("Pipeline")),
        (stored(&experiment, &two, &version), (404, 5), format!("PipelineVersion {version} not found")),
        (stored(&experiment, "", ""), (400, 3), "names neither a pipeline".to_owned()),
        (with("service_account", json!("admin")), (403, 7), "may not use serviceaccounts".to_owned()),
    ] {
        world.refused("POST", V2, new, status, &words).await;
    }
    *world.executor.broken.lock().unwrap() = Some("there is no sandbox");
    world.refused("POST", V2, inline(&experiment, "r"), (400, 9), "there is no sandbox").await;
    assert_eq!(world.executor.take(), []);
    same(&world.get(&format!("{V2}?experiment_id={experiment}")).await, &json!({}));
    let experiment = world.get(&format!("/apis/v2beta1/experiments/{experiment}")).await;
    assert_eq!(experiment["last_run_created_at"], crate::world::NEVER);
}

#[tokio::test]
async fn the_executor_hears_once_of_each_change() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let heard = |id: &str| vec![("team".to_owned(), id.to_owned())];
    for version in [V1, V2] {
        let id = text(&world.run(&experiment, "r").await, "run_id");
        assert_eq!(world.executor.take(), heard(&id));
        for path in [format!("{V2}/{id}"), format!("{V1}/{id}"), format!("{V2}?namespace=team")] {
            world.get(&path).await;
        }
        world.post(&format!("{version}/{id}:archive"), Value::Null).await;
        world.post(&format!("{version}/{id}:unarchive"), Value::Null).await;
        assert_eq!(world.executor.take(), []);
        let terminate = if version == V1 { format!("{V1}/{id}/terminate") } else { format!("{V2}/{id}:terminate") };
        world.post(&terminate, Value::Null).await;
        assert_eq!(world.executor.take(), heard(&id));
        let run = world.get(&format!("{V2}/{id}")).await;
        assert_eq!((&run["state"], run["state_history"].as_array().unwrap().len()), (&json!("CANCELING"), 2));
        assert_eq!(world.get(&format!("{V1}/{id}")).await["run"]["status"], "Terminating");
        world.delete(&format!("{version}/{id}")).await;
        assert_eq!(world.executor.take(), heard(&id));
        for (method, path) in
            [("DELETE", format!("{version}/{id}")), ("GET", format!("{version}/{id}")), ("POST", terminate)]
        {
            world.refused(method, &path, Value::Null, (404, 5), &format!("Run {id} not found")).await;
        }
        assert_eq!(world.executor.take(), []);
    }
}

#[tokio::test]
async fn only_failed_runs_are_retried() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let id = text(&world.run(&experiment, "r").await, "run_id");
    world.executor.take();
    for path in [format!("{V2}/{id}:retry"), format!("{V1}/{id}/retry")] {
        world.refused("POST", &path, Value::Null, (409, 10), "is PENDING, and only a FAILED one").await;
    }
    assert_eq!(world.executor.take(), []);
}

#[tokio::test]
async fn who_may_report_chooses_the_id() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let mut request = inline(&experiment, "r");
    request["run_id"] = "my-own".into();
    // Jane may not, so that her wish is not heard.
    assert_ne!(world.post(V2, request.clone()).await["run_id"], "my-own");
    let world = World::single_user().await;
    request["experiment_id"] = "".into();
    assert_eq!(world.post(V2, request.clone()).await["run_id"], "my-own");
    world.refused("POST", V2, request.clone(), (409, 6), "there is a run my-own already").await;
    for wrong in ["../up", "A", "-a", "a/b", &"x".repeat(64)] {
        request["run_id"] = wrong.into();
        world.refused("POST", V2, request.clone(), (400, 3), "the run's id must be").await;
    }
}
