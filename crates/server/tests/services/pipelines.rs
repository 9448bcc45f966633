//! Pipelines and versions: uploads, the latest version, templates, changes.
use crate::world::{ABSENT, World, pipeline, same, text};
use serde_json::{Value, json};

const V2: &str = "/apis/v2beta1/pipelines";

#[tokio::test]
async fn the_latest_version_is_the_default_one() {
    let world = World::new().await;
    let (id, first) = world.pipeline("team", "p").await;
    world.tick();
    let second = world.version(&id, "v2").await;
    let show = || async { world.get(&format!("/apis/v1beta1/pipelines/{id}")).await };
    assert_eq!(show().await["default_version"]["id"], second);
    // The choice of another is taken and has no effect, as in KFP.
    world.post(&format!("/apis/v1beta1/pipelines/{id}/default_version/{first}"), Value::Null).await;
    assert_eq!(show().await["default_version"]["id"], second);
    let absent = format!("/apis/v1beta1/pipelines/{id}/default_version/{ABSENT}");
    world.refused("POST", &absent, Value::Null, (404, 5), ABSENT).await;

    let key = "resource_reference_key.type=NAMESPACE&resource_reference_key.id=team";
    let list = world.get(&format!("/apis/v1beta1/pipelines?{key}")).await;
    assert_eq!(list["pipelines"][0]["default_version"]["id"], second);
    let versions = world.get(&format!("/apis/v1beta1/pipeline_versions?resource_key.id={id}")).await;
    assert_eq!((&versions["versions"][0]["id"], &versions["total_size"]), (&json!(first), &json!(2)));

    world.delete(&format!("{V2}/{id}/versions/{second}")).await;
    assert_eq!(show().await["default_version"]["id"], first);
}

#[tokio::test]
async fn templates_are_the_stored_text() {
    let world = World::new().await;
    let (id, version) = world.pipeline("team", "p").await;
    let of_pipeline = world.get(&format!("/apis/v1beta1/pipelines/{id}/templates")).await;
    let of_version = world.get(&format!("/apis/v1beta1/pipeline_versions/{version}/templates")).await;
    same(&of_pipeline, &of_version);
    let package = spec::Package::parse(&text(&of_version, "template")).unwrap();
    same(&package.to_json(), &pipeline());
    let empty = text(&world.post(V2, json!({"name": "empty", "namespace": "team"})).await, "pipeline_id");
    let (status, answer) = world.ask("GET", &format!("/apis/v1beta1/pipelines/{empty}/templates"), &Value::Null).await;
    assert_eq!(status, 404, "{answer:#}");
}

#[tokio::test]
async fn a_version_is_found_in_its_pipeline_alone() {
    let world = World::new().await;
    let (one, version) = world.pipeline("team", "one").await;
    let (two, _) = world.pipeline("team", "two").await;
    world.get(&format!("{V2}/{one}/versions/{version}")).await;
    for (method, pipeline, version) in
        [("GET", &two, version.as_str()), ("DELETE", &two, &version), ("GET", &one, ABSENT), ("DELETE", &one, ABSENT)]
    {
        let path = format!("{V2}/{pipeline}/versions/{version}");
        world.refused(method, &path, Value::Null, (404, 5), &format!("PipelineVersion {version} not found")).await;
    }
    let path = format!("{V2}/{ABSENT}/versions/{version}");
    world.refused("GET", &path, Value::Null, (404, 5), &format!("Pipeline {ABSENT} not found")).await;
}

#[tokio::test]
async fn one_with_versions_is_deleted_only_when_asked_to() {
    let world = World::new().await;
    let (id, version) = world.pipeline("team", "p").await;
    world.refused("DELETE", &format!("{V2}/{id}"), Value::Null, (400, 3), "cascade").await;
    world.delete(&format!("{V2}/{id}?cascade=true")).await;
    world.refused("GET", &format!("{V2}/{id}"), Value::Null, (404, 5), &id).await;
    let path = format!("/apis/v1beta1/pipeline_versions/{version}");
    world.refused("GET", &path, Value::Null, (404, 5), &version).await;
    let (id, _) = world.pipeline("team", "p").await;
    world.delete(&format!("/apis/v1beta1/pipelines/{id}")).await;
}

#[tokio::test]
async fn changes_keep_what_they_do_not_name() {
    let world = World::new().await;
    let new = json!({"name": "p", "namespace": "team", "tags": {"k": "v"}});
    let id = text(&world.post(V2, new).await, "pipeline_id");
    let path = format!("{V2}/{id}");
    for (change, display_name, tags) in [
        (json!({"display_name": "New"}), "New", json!({"k": "v"})),
        (json!({"tags": {"a": "b"}}), "New", json!({"a": "b"})),
        (json!({"name": "x", "description": "x"}), "New", json!({"a": "b"})),
        (json!({"tags": {}}), "New", json!(null)),
    ] {
        let changed = world.call("PATCH", &path, &change).await;
        assert_eq!((&changed["display_name"], &changed["tags"]), (&json!(display_name), &tags), "{change}");
        assert_eq!(changed["name"], "p");
        same(&world.get(&path).await, &changed);
    }
}

#[tokio::test]
async fn uploads_name_what_they_make() {
    let world = World::new().await;
    let file = pipeline().to_string();
    for (query, filename, name, display_name) in [
        ("", "plain.json", "plain.json", "plain.json"),
        ("&name=n", "plain.json", "n", "n"),
        ("&display_name=D", "plain.json", "D", "D"),
        ("&name=m&display_name=D", "plain.yaml", "m", "D"),
    ] {
        let (status, made) = world.upload(&format!("{V2}/upload?namespace=team{query}"), filename, &file).await;
        assert_eq!((status, &made["name"], &made["display_name"]), (200, &json!(name), &json!(display_name)), "{made}");
    }
    let (status, v1) = world.upload("/apis/v1beta1/pipelines/upload?namespace=team&name=old", "p.json", &file).await;
    assert_eq!((status, &v1["name"], &v1["default_version"]["name"]), (200, &json!("old"), &json!("old")), "{v1}");
}

#[tokio::test]
async fn uploads_that_are_no_good_leave_nothing() {
    let world = World::new().await;
    let good = pipeline().to_string();
    let upload = |query: &str| format!("{V2}/upload?namespace=team{query}");
    let long = "x".repeat(129);
    let name = format!("&name={long}");
    for (query, filename, content, code, words) in [
        ("", "p.txt", good.as_str(), 400, "its name must end in .yaml, .yml or .json"),
        ("", "p.yaml", "", 400, "the pipeline is empty"),
        ("", "p.yaml", "a: b", 400, "neither a PipelineSpec"),
        ("", "p.yaml", "apiVersion: argoproj.io/v1alpha1", 400, "kind: a v1 manifest has"),
        ("", "p.zip", "PK\u{3}\u{4}", 400, "the zip archive cannot be read"),
        ("", "p.json", &good.replace("2.1.0", "2.0.0"), 400, "schemaVersion"),
        ("", "p.json", &good.replace("\"train\"", "\"Tr ain\""), 400, "pipelineInfo.name"),
        ("&tags=x", "p.json", &good, 400, "tags"),
        ("&tags=%7B%22a.b%22:%22c%22%7D", "p.json", &good, 400, "contains a dot"),
        (&name, "p.json", &good, 400, "at most 128"),
    ] {
        let (status, answer) = world.upload(&upload(query), filename, content).await;
        let message = answer["error_message"].as_str().unwrap_or_default();
        assert!(status == code && message.contains(words), "{query} {filename}: {status} {answer:#}");
    }
    same(&world.get(&format!("{V2}?namespace=team")).await, &json!({}));

    world.upload(&upload("&name=p"), "p.json", &good).await;
    let (status, answer) = world.upload(&upload("&name=p"), "p.json", &good).await;
    assert_eq!(status, 409, "{answer:#}");
    let (status, answer) = world.upload(&format!("{V2}/upload_version?pipelineid={ABSENT}"), "p.json", &good).await;
    assert_eq!(status, 404, "{answer:#}");
    let (status, answer) = world.upload(&format!("{V2}/upload_version"), "p.json", &good).await;
    assert_eq!(status, 400, "{answer:#}");
}
