//! The bodies of errors.
use crate::world::{ABSENT, World, same};
use serde_json::{Value, json};

#[tokio::test]
async fn say_the_same_twice() {
    let world = World::new().await;
    let (status, answer) = world.ask("GET", &format!("/apis/v2beta1/runs/{ABSENT}"), &Value::Null).await;
    let message = format!("Run {ABSENT} not found");
    let detail = json!({"@type": "type.googleapis.com/google.rpc.Status", "code": 5, "message": message});
    assert_eq!(status, 404);
    same(&answer, &json!({"code": 5, "message": message, "details": [detail]}));
}

#[tokio::test]
async fn of_bodies_that_are_not_understood() {
    let world = World::new().await;
    for body in [
        json!({"nosuch": 1}),
        json!({"display_name": 1}),
        json!({"storage_state": "GONE"}),
        json!([]),
        json!({"displayName": "a", "display_name": "b"}),
    ] {
        world.refused("POST", "/apis/v2beta1/experiments", body, (400, 3), "").await;
    }
    world.refused("PUT", "/apis/v2beta1/experiments", Value::Null, (501, 12), "Method Not Allowed").await;
    world.refused("GET", "/apis/v2beta1/nosuch", Value::Null, (404, 5), "Not Found").await;
}
