//! Single-user mode: no namespaces on the wire, and a default experiment.
use crate::world::{NEVER, NOW, World, inline, same, text};
use serde_json::{Value, json};

const EXPERIMENTS: &str = "/apis/v2beta1/experiments";

#[tokio::test]
async fn messages_have_no_namespace() {
    let world = World::single_user().await;
    // Whatever namespace a client names, there is one.
    let id = world.experiment("team", "exp").await;
    let v2 = json!({
        "experiment_id": id,
        "display_name": "exp",
        "created_at": NOW, "created_by": "local",
        "storage_state": "AVAILABLE",
        "last_run_created_at": NEVER,
    });
    for list in [EXPERIMENTS, "/apis/v2beta1/experiments?namespace=x"] {
        same(&world.get(list).await, &json!({"experiments": [v2], "total_size": 1}));
    }
    let v1 = json!({
        "id": id,
        "name": "exp",
        "created_at": NOW, "created_by": "local",
        "resource_references": [{"key": {"type": "NAMESPACE"}, "relationship": "OWNER"}],
        "storage_state": "STORAGESTATE_AVAILABLE",
    });
    same(&world.get(&format!("/apis/v1beta1/experiments/{id}")).await, &v1);

    let (pipeline, version) = world.pipeline("", "p").await;
    let v2 =
        json!({"pipeline_id": pipeline, "display_name": "p", "name": "p", "created_at": NOW, "created_by": "local"});
    same(&world.get(&format!("/apis/v2beta1/pipelines/{pipeline}")).await, &v2);
    let v1 = world.get(&format!("/apis/v1beta1/pipelines/{pipeline}")).await;
    assert!(v1.get("resource_references").is_none() && v1["default_version"]["id"] == version, "{v1:#}");

    let run = text(&world.run(&id, "r").await, "run_id");
    let run = world.get(&format!("/apis/v1beta1/runs/{run}")).await;
    let owner = json!([{"key": {"type": "EXPERIMENT", "id": id}, "relationship": "OWNER"}]);
    same(&run["run"]["resource_references"], &owner);
}

#[tokio::test]
async fn runs_without_an_experiment_go_to_the_default_one() {
    let world = World::single_user().await;
    let one = world.run("", "one").await;
    let two = world.run("", "two").await;
    assert_eq!(one["experiment_id"], two["experiment_id"]);
    let list = world.get(EXPERIMENTS).await;
    assert_eq!((&list["experiments"][0]["display_name"], &list["total_size"]), (&json!("Default"), &json!(1)));
    assert_eq!(world.get("/apis/v2beta1/runs").await["total_size"], 2);
    assert_eq!(world.executor.take().len(), 2);
}

#[tokio::test]
async fn the_default_experiment_cannot_be_deleted() {
    let world = World::single_user().await;
    let id = text(&world.run("", "r").await, "experiment_id");
    for version in ["v1beta1", "v2beta1"] {
        let path = format!("/apis/{version}/experiments/{id}");
        world.refused("DELETE", &path, Value::Null, (409, 10), "").await;
    }
    // Elsewhere the name means nothing.
    let many = World::new().await;
    let id = many.experiment("team", "Default").await;
    many.delete(&format!("{EXPERIMENTS}/{id}")).await;
}

#[tokio::test]
async fn nobody_logs_in() {
    let world = World::single_user().await;
    let run = world.post("/apis/v2beta1/runs", inline("", "r")).await;
    world.delete(&format!("/apis/v2beta1/runs/{}", text(&run, "run_id"))).await;
    same(&world.get("/apis/v2beta1/pipelines").await, &json!({}));
}
