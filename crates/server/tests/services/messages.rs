//! The shape of every message (KFP API, "Worked JSON shapes"), the same object in both versions.
use crate::world::{NEVER, NOW, World, inline, pipeline, same, text};
use serde_json::json;

#[tokio::test]
async fn of_an_experiment() {
    let world = World::new().await;
    let v2 = world.post("/apis/v2beta1/experiments", json!({"display_name": "exp", "namespace": "team"})).await;
    let id = text(&v2, "experiment_id");
    let expect = json!({
        "experiment_id": id,
        "display_name": "exp",
        "created_at": NOW,
        "created_by": "jane",
        "namespace": "team",
        "storage_state": "AVAILABLE",
        "last_run_created_at": NEVER,
    });
    same(&v2, &expect);
    same(&world.get(&format!("/apis/v2beta1/experiments/{id}")).await, &expect);
    let owner = json!([{"key": {"type": "NAMESPACE", "id": "team"}, "relationship": "OWNER"}]);
    let mut v1 = json!({
        "id": id,
        "name": "exp",
        "created_at": NOW,
        "created_by": "jane",
        "resource_references": owner,
        "storage_state": "STORAGESTATE_AVAILABLE",
    });
    same(&world.get(&format!("/apis/v1beta1/experiments/{id}")).await, &v1);

    world.post(&format!("/apis/v2beta1/experiments/{id}:archive"), json!(null)).await;
    v1["storage_state"] = "STORAGESTATE_ARCHIVED".into();
    same(&world.get(&format!("/apis/v1beta1/experiments/{id}")).await, &v1);
    assert_eq!(world.get(&format!("/apis/v2beta1/experiments/{id}")).await["storage_state"], "ARCHIVED");

    let new = json!({"name": "old", "description": "words", "resource_references": owner});
    let v1 = world.post("/apis/v1beta1/experiments", new).await;
    let v2 = world.get(&format!("/apis/v2beta1/experiments/{}", text(&v1, "id"))).await;
    assert_eq!(
        (&v2["display_name"], &v2["namespace"], &v2["description"]),
        (&json!("old"), &json!("team"), &json!("words"))
    );
}

#[tokio::test]
async fn of_a_pipeline_and_its_version() {
    let world = World::new().await;
    let path = "/apis/v2beta1/pipelines/upload?namespace=team&name=my-pipe&display_name=My%20pipe&tags=%7B%22k%22:%22v%22%7D&code_source_url=https://example.com/c";
    let (status, v2) = world.upload(path, "train.json", &pipeline().to_string()).await;
    assert_eq!(status, 200, "{v2:#}");
    let id = text(&v2, "pipeline_id");
    let expect = json!({
        "pipeline_id": id,
        "display_name": "My pipe",
        "name": "my-pipe",
        "created_at": NOW,
        "created_by": "jane",
        "namespace": "team",
        "tags": {"k": "v"},
    });
    same(&v2, &expect);
    same(&world.get(&format!("/apis/v2beta1/pipelines/{id}")).await, &expect);

    let list = world.get(&format!("/apis/v2beta1/pipelines/{id}/versions")).await;
    let version_id = text(&list["pipeline_versions"][0], "pipeline_version_id");
    let version = json!({
        "pipeline_id": id,
        "pipeline_version_id": version_id,
        "display_name": "My pipe",
        "name": "my-pipe",
        "created_at": NOW,
        "created_by": "jane",
        "code_source_url": "https://example.com/c",
        "pipeline_spec": pipeline(),
    });
    same(&list, &json!({"pipeline_versions": [version], "total_size": 1}));
    same(&world.get(&format!("/apis/v2beta1/pipelines/{id}/versions/{version_id}")).await, &version);

    let version_v1 = json!({
        "id": version_id,
        "name": "my-pipe",
        "created_at": NOW,
        "created_by": "jane",
        "package_url": {"pipeline_url": "https://example.com/c"},
        "code_source_url": "https://example.com/c",
        "resource_references": [{"key": {"type": "PIPELINE", "id": id}, "relationship": "OWNER"}],
    });
    same(&world.get(&format!("/apis/v1beta1/pipeline_versions/{version_id}")).await, &version_v1);
    let v1 = json!({
        "id": id,
        "name": "my-pipe",
        "created_at": NOW,
        "created_by": "jane",
        "url": {"pipeline_url": "https://example.com/c"},
        "default_version": version_v1,
        "resource_references": [{"key": {"type": "NAMESPACE", "id": "team"}, "relationship": "OWNER"}],
    });
    same(&world.get(&format!("/apis/v1beta1/pipelines/{id}")).await, &v1);
    same(&world.get("/apis/v1beta1/namespaces/team/pipelines/my-pipe").await, &v1);
}

#[tokio::test]
async fn of_a_shared_pipeline() {
    let world = World::new().await;
    let v2 = world.post("/apis/v2beta1/pipelines", json!({"name": "intro"})).await;
    let id = text(&v2, "pipeline_id");
    same(
        &v2,
        &json!({"pipeline_id": id, "display_name": "intro", "name": "intro", "created_at": NOW, "created_by": "jane"}),
    );
    let v1 = world.get(&format!("/apis/v1beta1/pipelines/{id}")).await;
    same(&v1, &json!({"id": id, "name": "intro", "created_at": NOW, "created_by": "jane"}));
}

/// What the platform settings of a package do to the shape.
#[tokio::test]
async fn of_a_version_with_platform_settings() {
    let world = World::new().await;
    let platform = json!({"platforms": {"kubernetes": {"deploymentSpec": {"executors": {}}}}});
    let file = format!("{}\n---\n{platform}\n", pipeline());
    let (_, made) = world.upload("/apis/v2beta1/pipelines/upload?namespace=team", "both.yaml", &file).await;
    let list = world.get(&format!("/apis/v2beta1/pipelines/{}/versions", text(&made, "pipeline_id"))).await;
    let expect = json!({"pipeline_spec": pipeline(), "platform_spec": platform});
    same(&list["pipeline_versions"][0]["pipeline_spec"], &expect);
}

#[tokio::test]
async fn of_a_run_right_after_its_creation() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (pipeline_id, version_id) = world.pipeline("team", "my-pipe").await;
    let source = json!({"pipeline_id": pipeline_id, "pipeline_version_id": version_id});
    let v2 = world
        .post(
            "/apis/v2beta1/runs",
            json!({
                "display_name": "r",
                "experiment_id": experiment,
                "pipeline_version_reference": source,
                "runtime_config": {"parameters": {"n": 3, "s": "y"}},
            }),
        )
        .await;
    let id = text(&v2, "run_id");
    let expect = json!({
        "experiment_id": experiment,
        "run_id": id,
        "display_name": "r",
        "storage_state": "AVAILABLE",
        "pipeline_version_reference": source,
        "runtime_config": {"parameters": {"n": 3.0, "s": "y"}},
        "service_account": "default-editor",
        "created_at": NOW,
        "created_by": "jane",
        "scheduled_at": NOW,
        "finished_at": NEVER,
        "state": "PENDING",
        "state_history": [{"update_time": NOW, "state": "PENDING"}],
    });
    same(&integral(&v2), &integral(&expect));
    same(&integral(&world.get(&format!("/apis/v2beta1/runs/{id}")).await), &integral(&expect));

    let template = world.get(&format!("/apis/v1beta1/pipelines/{pipeline_id}/templates")).await;
    let manifest = text(&template, "template");
    let mut run = json!({
        "id": id,
        "name": "r",
        "pipeline_spec": {
            "pipeline_id": pipeline_id,
            "pipeline_name": "my-pipe",
            "pipeline_manifest": manifest,
            "runtime_config": {"parameters": {"n": 3.0, "s": "y"}},
        },
        "resource_references": [
            {"key": {"type": "EXPERIMENT", "id": experiment}, "relationship": "OWNER"},
            {"key": {"type": "NAMESPACE", "id": "team"}, "relationship": "OWNER"},
            {"key": {"type": "PIPELINE_VERSION", "id": version_id}, "relationship": "CREATOR"},
        ],
        "service_account": "default-editor",
        "created_at": NOW,
        "created_by": "jane",
        "scheduled_at": NOW,
        "finished_at": NEVER,
        "status": "Pending",
    });
    let detail = |run| integral(&json!({"run": run, "pipeline_runtime": {"pipeline_manifest": manifest}}));
    same(&integral(&world.get(&format!("/apis/v1beta1/runs/{id}")).await), &detail(run.clone()));

    world.post(&format!("/apis/v1beta1/runs/{id}:archive"), json!(null)).await;
    run["storage_state"] = "STORAGESTATE_ARCHIVED".into();
    same(&integral(&world.get(&format!("/apis/v1beta1/runs/{id}")).await), &detail(run));
    let experiment = world.get(&format!("/apis/v2beta1/experiments/{experiment}")).await;
    assert_eq!(experiment["last_run_created_at"], NOW);
}

#[tokio::test]
async fn of_a_run_of_an_inline_pipeline() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let mut new = inline(&experiment, "r");
    new["description"] = "words".into();
    new["runtime_config"]["pipeline_root"] = "s3://bucket/root".into();
    let run = world.post("/apis/v2beta1/runs", new).await;
    same(&integral(&run["pipeline_spec"]), &integral(&pipeline()));
    assert!(run.get("pipeline_version_reference").is_none());
    let told = (&run["description"], &run["runtime_config"]["pipeline_root"]);
    assert_eq!(told, (&json!("words"), &json!("s3://bucket/root")));
    let v1 = world.get(&format!("/apis/v1beta1/runs/{}", text(&run, "run_id"))).await;
    assert_eq!(v1["run"]["resource_references"].as_array().unwrap().len(), 2, "{v1:#}");
    assert!(v1["run"]["pipeline_spec"].get("pipeline_id").is_none());
}

#[tokio::test]
async fn of_an_empty_list() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    for path in [
        "/apis/v2beta1/experiments?namespace=other",
        "/apis/v2beta1/pipelines?namespace=team",
        "/apis/v2beta1/pipelines",
        "/apis/v2beta1/runs?namespace=team",
        &format!("/apis/v2beta1/runs?experiment_id={experiment}"),
        "/apis/v1beta1/experiments?resource_reference_key.type=NAMESPACE&resource_reference_key.id=other",
    ] {
        same(&world.get(path).await, &json!({}));
    }
}

/// The same message with every whole number as an integer: JSON has one kind of number, its parsers have two.
fn integral(value: &serde_json::Value) -> serde_json::Value {
    let mut value = value.clone();
    spec::integral(&mut value);
    value
}
