//! What a package may be: a v1 manifest, an archive.
use crate::world::{World, inline, pipeline, same, text};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;
use zip::{ZipWriter, write::SimpleFileOptions};

const V2: &str = "/apis/v2beta1/pipelines";

fn manifest() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "greet-"},
        "spec": {
            "arguments": {"parameters": [{"name": "who", "value": "world"}, {"name": "open"}]},
            "entrypoint": "greet",
            "templates": [{"name": "greet", "container": {"image": "alpine"}}],
        },
    })
}

#[tokio::test]
async fn v1_manifests_are_stored_and_shown() {
    let world = World::new().await;
    let path = format!("{V2}/upload?namespace=team&name=old");
    let (status, made) = world.upload(&path, "old.yaml", manifest().to_string()).await;
    assert_eq!(status, 200, "{made:#}");
    let id = text(&made, "pipeline_id");
    let list = world.get(&format!("{V2}/{id}/versions")).await;
    same(&list["pipeline_versions"][0]["pipeline_spec"], &manifest());
    let version = text(&list["pipeline_versions"][0], "pipeline_version_id");

    let parameters = json!([{"name": "who", "value": "world"}, {"name": "open"}]);
    let v1 = world.get(&format!("/apis/v1beta1/pipelines/{id}")).await;
    same(&v1["parameters"], &parameters);
    same(&v1["default_version"]["parameters"], &parameters);
    let key = "resource_reference_key.type=NAMESPACE&resource_reference_key.id=team";
    same(&world.get(&format!("/apis/v1beta1/pipelines?{key}")).await["pipelines"][0], &v1);
    same(&world.get(&format!("/apis/v1beta1/pipeline_versions/{version}")).await, &v1["default_version"]);
    for path in [format!("pipelines/{id}"), format!("pipeline_versions/{version}")] {
        let template = text(&world.get(&format!("/apis/v1beta1/{path}/templates")).await, "template");
        same(&serde_json::from_str(&template).unwrap(), &manifest());
    }
}

#[tokio::test]
async fn v1_manifests_are_not_run() {
    let world = World::new().await;
    let experiment = world.experiment("team", "exp").await;
    let (_, made) = world.upload(&format!("{V2}/upload?namespace=team"), "old.json", manifest().to_string()).await;
    let id = text(&made, "pipeline_id");
    let mut stored = inline(&experiment, "r");
    stored.as_object_mut().unwrap().remove("pipeline_spec");
    stored["pipeline_version_reference"] = json!({"pipeline_id": id});
    let mut carried = inline(&experiment, "r");
    carried["pipeline_spec"] = manifest();
    let references = json!([{"key": {"type": "EXPERIMENT", "id": experiment}, "relationship": "OWNER"}]);
    let v1 = |spec: Value| json!({"name": "r", "resource_references": references, "pipeline_spec": spec});
    for (path, body) in [
        ("/apis/v2beta1/runs", stored),
        ("/apis/v2beta1/runs", carried),
        ("/apis/v1beta1/runs", v1(json!({"pipeline_id": id}))),
        ("/apis/v1beta1/runs", v1(json!({"workflow_manifest": manifest().to_string()}))),
    ] {
        world.refused("POST", path, body, (501, 12), "needs the Argo backend").await;
    }
    assert!(world.executor.take().is_empty());
}

#[tokio::test]
async fn archives_are_unpacked() {
    let world = World::new().await;
    let content = pipeline().to_string();
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in [("readme.txt", "words"), ("pipeline.yaml", &content)] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    tar.append_data(&mut header, "train.yaml", content.as_bytes()).unwrap();
    let tar = tar.into_inner().unwrap().finish().unwrap();
    // Their bytes tell what they are, and their names do not; but an ending of a text means a text.
    for (name, filename, file, expect) in [
        ("a", "train.zip", &zip, 200),
        ("b", "train", &zip, 200),
        ("c", "train.tar.gz", &tar, 200),
        ("d", "train.tgz", &tar, 200),
        ("e", "train.yaml", &zip, 400),
    ] {
        let (status, made) = world.upload(&format!("{V2}/upload?namespace=team&name={name}"), filename, file).await;
        assert_eq!(status, expect, "{filename}: {made:#}");
        if status == 200 {
            let versions = world.get(&format!("{V2}/{}/versions", text(&made, "pipeline_id"))).await;
            same(&versions["pipeline_versions"][0]["pipeline_spec"], &pipeline());
        }
    }
}
