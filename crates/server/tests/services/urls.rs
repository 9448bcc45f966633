//! Pipelines by URL, from a server on loopback, and pipelines that the request carries.
use crate::world::{ABSENT, World, pipeline, same, text};
use axum::{Router, routing::get};
use fetch::{Fetcher, Rules};
use serde_json::{Value, json};
use std::time::Duration;

const V2: &str = "/apis/v2beta1/pipelines";
const V1: &str = "/apis/v1beta1";

/// The address of a server that has the pipeline under some names.
async fn files() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new()
        .route("/train.yaml", get(|| async { pipeline().to_string() }))
        .route("/train", get(|| async { pipeline().to_string() }))
        .route("/bad.yaml", get(|| async { "a: b" }))
        .route("/large.yaml", get(|| async { vec![b'#'; (32 << 20) + 1] }));
    tokio::spawn(async { axum::serve(listener, app).await });
    base
}

async fn world(networks: &[&str]) -> World {
    let networks: Vec<_> = networks.iter().map(|network| network.parse().unwrap()).collect();
    let rules = Rules::new(&[], &networks, true).unwrap();
    World::fetching(Some(Fetcher::new(rules, Duration::from_secs(30)).unwrap())).await
}

/// The four ways to name a URL: path and body.
fn ways(id: &str, name: &str, url: &str) -> [(String, Value); 4] {
    let url = json!({"pipeline_url": url});
    let parent = json!([{"key": {"type": "PIPELINE", "id": id}, "relationship": "OWNER"}]);
    let owner = json!([{"key": {"type": "NAMESPACE", "id": "team"}, "relationship": "OWNER"}]);
    [
        (format!("{V1}/pipelines"), json!({"name": format!("{name}1"), "url": url, "resource_references": owner})),
        (
            format!("{V1}/pipeline_versions"),
            json!({"name": format!("{name}1"), "package_url": url, "resource_references": parent}),
        ),
        (
            format!("{V2}/create"),
            json!({"pipeline": {"name": format!("{name}2"), "namespace": "team"}, "pipeline_version": {"package_url": url}}),
        ),
        (format!("{V2}/{id}/versions"), json!({"name": format!("{name}2"), "pipeline_id": id, "package_url": url})),
    ]
}

#[tokio::test]
async fn they_are_fetched_in_four_ways() {
    let (world, base) = (world(&["127.0.0.0/8"]).await, files().await);
    let (id, _) = world.pipeline("team", "p").await;
    let url = format!("{base}/train.yaml");
    let [pipeline_v1, version_v1, both, version] = ways(&id, "x", &url);
    let shown = json!({"pipeline_url": url});

    let made = world.post(&pipeline_v1.0, pipeline_v1.1).await;
    same(&made["url"], &shown);
    assert_eq!((&made["name"], &made["default_version"]["name"]), (&json!("x1"), &json!("x1")), "{made:#}");
    same(&world.get(&format!("{V1}/pipelines/{}", text(&made, "id"))).await, &made);

    let made = world.post(&version_v1.0, version_v1.1).await;
    same(&made["package_url"], &shown);
    assert!(made.get("code_source_url").is_none());
    same(&made["resource_references"][0]["key"]["id"], &json!(id));

    let mut body = both.1;
    body["pipeline_version"]["tags"] = json!({"k": "v"});
    body["pipeline_version"]["code_source_url"] = "https://example.com/c".into();
    let made = world.post(&both.0, body).await;
    let versions = world.get(&format!("{V2}/{}/versions", text(&made, "pipeline_id"))).await;
    let first = &versions["pipeline_versions"][0];
    assert_eq!((&first["name"], &first["package_url"], &first["tags"]["k"]), (&json!("x2"), &shown, &json!("v")));
    same(&first["pipeline_spec"], &pipeline());
    assert!(made.get("tags").is_none());
    // v1beta1 shows the source as the package, where there is one.
    let v1 = world.get(&format!("{V1}/pipeline_versions/{}", text(first, "pipeline_version_id"))).await;
    same(&v1["package_url"], &json!({"pipeline_url": "https://example.com/c"}));

    let made = world.post(&version.0, version.1).await;
    same(&made["package_url"], &shown);
    let path = format!("{V2}/{id}/versions/{}", text(&made, "pipeline_version_id"));
    same(&world.get(&path).await, &made);
}

#[tokio::test]
async fn what_cannot_be_had_leaves_nothing() {
    let (world, base) = (world(&["127.0.0.0/8"]).await, files().await);
    let (id, _) = world.pipeline("team", "p").await;
    let before = world.get(&format!("{V2}/{id}/versions")).await;
    for (url, words) in [
        ("", "a pipeline_url is required"),
        ("nonsense", "not understood"),
        ("http://169.254.169.254/latest/meta-data", "not allowed"),
        (&format!("{base}/absent.yaml"), "404"),
        (&format!("{base}/bad.yaml"), "neither a PipelineSpec"),
        (&format!("{base}/train"), "is not a pipeline package"),
        (&format!("{base}/large.yaml"), "33554432"),
    ] {
        for (path, body) in ways(&id, "x", url) {
            world.refused("POST", &path, body, (400, 3), words).await;
        }
    }
    same(&world.get(&format!("{V2}/{id}/versions")).await, &before);
    assert_eq!(world.get(&format!("{V2}?namespace=team")).await["total_size"], 1);
}

#[tokio::test]
async fn nothing_is_fetched_where_it_is_not_allowed() {
    let base = files().await;
    let url = format!("{base}/train.yaml");
    let strict = world(&[]).await;
    let (id, _) = strict.pipeline("team", "p").await;
    for (path, body) in ways(&id, "x", &url) {
        strict.refused("POST", &path, body, (400, 3), "not allowed").await;
    }
    let off = World::new().await;
    let (id, _) = off.pipeline("team", "p").await;
    for (path, body) in ways(&id, "x", &url) {
        off.refused("POST", &path, body, (400, 9), "nothing is fetched").await;
    }
}

#[tokio::test]
async fn mistakes_in_the_request() {
    let (world, base) = (world(&["127.0.0.0/8"]).await, files().await);
    let (id, _) = world.pipeline("team", "p").await;
    let url = json!({"pipeline_url": format!("{base}/train.yaml")});
    let long = "x".repeat(128);
    let parent = json!([{"key": {"type": "PIPELINE", "id": id}, "relationship": "OWNER"}]);
    for (path, body, status, words) in [
        (format!("{V1}/pipeline_versions"), json!({"name": "x", "package_url": url}), (400, 3), ""),
        (
            format!("{V1}/pipeline_versions"),
            json!({"package_url": url, "resource_references": parent}),
            (400, 3),
            "the version's name is required",
        ),
        (format!("{V2}/{id}/versions"), json!({"package_url": url}), (400, 3), "the version's name is required"),
        (format!("{V2}/{id}/versions"), json!({"name": long, "package_url": url}), (400, 3), "at most 127"),
        (
            format!("{V2}/{id}/versions"),
            json!({"name": "x", "pipeline_id": ABSENT, "package_url": url}),
            (400, 3),
            "another pipeline",
        ),
        (format!("{V2}/{ABSENT}/versions"), json!({"name": "x", "package_url": url}), (404, 5), ABSENT),
        (format!("{V2}/{id}/versions"), json!({"name": "p", "package_url": url}), (409, 6), "already"),
        (
            format!("{V2}/create"),
            json!({"pipeline": {"name": "p", "namespace": "team"}, "pipeline_version": {"package_url": url}}),
            (409, 6),
            "already",
        ),
        (
            format!("{V2}/create"),
            json!({"pipeline": {"namespace": "team"}, "pipeline_version": {"package_url": url}}),
            (400, 3),
            "the pipeline's name is required",
        ),
        (
            format!("{V2}/create"),
            json!({"pipeline": {"name": "y", "namespace": "nobody"}, "pipeline_version": {"package_url": url}}),
            (403, 7),
            "may not create pipelines",
        ),
    ] {
        world.refused("POST", &path, body, status, words).await;
    }
}

/// An extension: clients without a place for files can send the spec itself.
#[tokio::test]
async fn the_request_may_carry_the_pipeline() {
    let world = World::new().await;
    let body = json!({
        "pipeline": {"name": "x", "namespace": "team"},
        "pipeline_version": {"pipeline_spec": pipeline()},
    });
    let made = world.post(&format!("{V2}/create"), body).await;
    let id = text(&made, "pipeline_id");
    let versions = world.get(&format!("{V2}/{id}/versions")).await;
    same(&versions["pipeline_versions"][0]["pipeline_spec"], &pipeline());
    assert!(versions["pipeline_versions"][0].get("package_url").is_none());
    let platform = json!({"platforms": {"kubernetes": {"deploymentSpec": {"executors": {}}}}});
    let both = json!({"pipeline_spec": pipeline(), "platform_spec": platform});
    let version = world.post(&format!("{V2}/{id}/versions"), json!({"name": "v2", "pipeline_spec": both})).await;
    same(&version["pipeline_spec"], &both);
    let bad = json!({"name": "v3", "pipeline_spec": {"a": 1}});
    world.refused("POST", &format!("{V2}/{id}/versions"), bad, (400, 3), "neither a PipelineSpec").await;
}
