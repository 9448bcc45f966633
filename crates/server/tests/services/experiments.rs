//! Experiments: what handlers add to the store.
use crate::world::{ABSENT, World, text};
use serde_json::{Value, json};

const V2: &str = "/apis/v2beta1/experiments";

#[tokio::test]
async fn names_are_checked() {
    let world = World::new().await;
    let new = |name: &str| json!({"display_name": name, "namespace": "team"});
    for (name, words) in [
        ("", "the experiment's display_name is required"),
        ("  ", "is required"),
        (&"x".repeat(129), "is too long: 129 characters, and at most 128 are allowed"),
        ("a\nb", "contains a control character"),
    ] {
        world.refused("POST", V2, new(name), (400, 3), words).await;
    }
    world.post(V2, new(&"ü".repeat(128))).await;
    let v1 = json!({"resource_references": [{"key": {"type": "NAMESPACE", "id": "team"}, "relationship": "OWNER"}]});
    world.refused("POST", "/apis/v1beta1/experiments", v1, (400, 3), "the experiment's name is required").await;
    world.refused("POST", V2, json!({"display_name": "x"}), (400, 3), "does not name a namespace").await;
    let foreign = json!({"display_name": "x", "namespace": "foreign"});
    world.refused("POST", V2, foreign, (403, 7), "jane may not create experiments").await;
}

#[tokio::test]
async fn names_are_unique_across_versions_and_states() {
    let world = World::new().await;
    let id = world.experiment("team", "exp").await;
    world.post(&format!("{V2}/{id}:archive"), Value::Null).await;
    let again = json!({"display_name": "exp", "namespace": "team"});
    world.refused("POST", V2, again, (409, 6), "\"exp\" exists already").await;
    world.experiment("other", "exp").await;
}

#[tokio::test]
async fn archiving_takes_the_runs_along() {
    let world = World::new().await;
    let id = world.experiment("team", "exp").await;
    let run = text(&world.run(&id, "r").await, "run_id");
    world.post(&format!("{V2}/{id}:archive"), Value::Null).await;
    assert_eq!(world.get(&format!("/apis/v2beta1/runs/{run}")).await["storage_state"], "ARCHIVED");
    let unarchive = format!("/apis/v2beta1/runs/{run}:unarchive");
    world.refused("POST", &unarchive, Value::Null, (400, 9), "unarchive that first").await;
    world.post(&format!("{V2}/{id}:unarchive"), Value::Null).await;
    world.post(&unarchive, Value::Null).await;
    assert_eq!(world.get(&format!("/apis/v1beta1/runs/{run}")).await["run"].get("storage_state"), None);
}

#[tokio::test]
async fn what_is_absent_is_not_found() {
    let world = World::new().await;
    for (method, path) in [
        ("GET", format!("{V2}/{ABSENT}")),
        ("DELETE", format!("{V2}/{ABSENT}")),
        ("POST", format!("{V2}/{ABSENT}:archive")),
        ("GET", format!("/apis/v1beta1/experiments/{ABSENT}")),
        ("GET", format!("/apis/v2beta1/runs?experiment_id={ABSENT}")),
    ] {
        world.refused(method, &path, Value::Null, (404, 5), &format!("Experiment {ABSENT} not found")).await;
    }
    let id = world.experiment("team", "exp").await;
    world.delete(&format!("{V2}/{id}")).await;
    world.refused("GET", &format!("{V2}/{id}"), Value::Null, (404, 5), &id).await;
}
