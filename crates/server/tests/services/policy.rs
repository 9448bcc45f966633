//! What definitions may ask of Kubernetes: refused wherever they come in, by the policy of the place.
use crate::world::{World, inline, pipeline, text};
use access::Grant;
use domain::{Executes, ExperimentId, Home, Namespace, NewRecurringRun, NewRun, Source, Trigger};
use serde_json::{Map, Value, json};
use server::{Policies, V1};
use spec::{Allowance, Package};

const PIPELINES: &str = "/apis/v2beta1/pipelines";
const RUNS: &str = "/apis/v2beta1/runs";
const RECURRING: &str = "/apis/v2beta1/recurringruns";

fn manifest() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "greet-"},
        "spec": {"entrypoint": "greet", "templates": [{"name": "greet", "container": {"image": "alpine"}}]},
    })
}

/// A manifest that asks for something, and where.
fn harmful() -> (Value, &'static str) {
    let mut manifest = manifest();
    manifest["spec"]["templates"][0]["podSpecPatch"] = "{\"hostNetwork\": true}".into();
    (manifest, "spec.templates[0].podSpecPatch: refused by policy")
}

/// The pipeline with settings that ask for something, and where.
fn as_root() -> (Value, &'static str) {
    let executors = json!({"exec-say": {"securityContext": {"runAsUser": "0"}}});
    let platform = json!({"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}});
    (
        json!({"pipeline_spec": pipeline(), "platform_spec": platform}),
        "platforms.kubernetes.deploymentSpec.executors.exec-say.securityContext.runAsUser: refused by policy",
    )
}

/// As a file has it.
fn file(definition: &Value) -> String {
    match definition.get("platform_spec") {
        Some(platform) => format!("{}\n---\n{platform}", definition["pipeline_spec"]),
        None => definition.to_string(),
    }
}

fn namespace(name: &str) -> Namespace {
    Namespace::parse(name).unwrap()
}

/// Everything is allowed in `team`, and nothing elsewhere.
fn for_team() -> Policies {
    let allow = Allowance::ALL.iter().copied().collect();
    Policies { namespaces: [(namespace("team"), allow)].into(), ..Policies::default() }
}

/// The same in both versions, for runs and for recurring runs, with what they execute.
fn executions(experiment: &str, inline_spec: Value, manifest: Option<&str>) -> Vec<(&'static str, Value)> {
    let mut run = inline(experiment, "r");
    run.as_object_mut().unwrap().remove("pipeline_spec");
    run.as_object_mut().unwrap().extend(inline_spec.as_object().unwrap().clone());
    let mut recurring = run.clone();
    recurring["max_concurrency"] = "1".into();
    recurring["trigger"] = json!({"cron_schedule": {"cron": "0 0 * * * *"}});
    let mut all = vec![(RUNS, run), (RECURRING, recurring)];
    if let Some(manifest) = manifest {
        let references = json!([{"key": {"type": "EXPERIMENT", "id": experiment}, "relationship": "OWNER"}]);
        for field in ["pipeline_manifest", "workflow_manifest"] {
            let spec = json!({field: manifest, "runtime_config": {"parameters": {"n": 3}}});
            let body = json!({"name": "r", "resource_references": references, "pipeline_spec": spec});
            all.push(("/apis/v1beta1/runs", body.clone()));
            let mut job = body;
            job["max_concurrency"] = "1".into();
            all.push(("/apis/v1beta1/jobs", job));
        }
    }
    all
}

#[tokio::test]
async fn holds_for_what_is_stored() {
    let world = World::under(for_team()).await;
    for (kind, (definition, words)) in [("v1", harmful()), ("v2", as_root())] {
        for (space, good) in [("team", true), ("other", false), ("", false)] {
            let name = |way: &str| format!("{kind}-{way}-{space}-x");
            let (pipeline, _) = world.pipeline(space, &name("base")).await;
            let upload = format!("upload?namespace={space}&name={}", name("a"));
            let version = format!("upload_version?pipelineid={pipeline}&name=b");
            for (api, way) in [("v2beta1", &upload), ("v2beta1", &version), ("v1beta1", &version)] {
                let path = format!("/apis/{api}/pipelines/{way}-{api}");
                let (status, answer) = world.upload(&path, "p.yaml", file(&definition)).await;
                assert_eq!(status == 200, good, "{kind} {path}: {answer:#}");
                assert!(good || (status == 400 && answer.to_string().contains(words)), "{kind} {path}: {answer:#}");
            }
            let new = json!({"display_name": "c", "pipeline_id": pipeline, "pipeline_spec": definition});
            let with_version = json!({
                "pipeline": {"display_name": name("d"), "namespace": space},
                "pipeline_version": {"display_name": "x", "pipeline_spec": definition},
            });
            for (path, body) in
                [(format!("{PIPELINES}/{pipeline}/versions"), new), (format!("{PIPELINES}/create"), with_version)]
            {
                match good {
                    true => drop(world.post(&path, body).await),
                    false => world.refused("POST", &path, body, (400, 3), words).await,
                }
            }
        }
    }
}

#[tokio::test]
async fn holds_for_what_requests_carry() {
    let world = World::under(for_team()).await;
    let (here, there) = (world.experiment("team", "e").await, world.experiment("other", "e").await);
    let (definition, words) = as_root();
    let carried = json!({"pipeline_spec": definition});
    for (path, body) in executions(&there, carried.clone(), Some(&file(&definition))) {
        world.refused("POST", path, body, (400, 3), words).await;
    }
    for (path, body) in executions(&here, carried, Some(&file(&definition))) {
        world.post(path, body).await;
    }
    // Manifests are judged before anybody hears that they are not run here.
    let (definition, words) = harmful();
    let carried = json!({"pipeline_spec": definition});
    for (path, body) in executions(&there, carried.clone(), Some(&file(&definition))) {
        world.refused("POST", path, body, (400, 3), words).await;
    }
    for (path, body) in executions(&here, carried, Some(&file(&definition))) {
        world.refused("POST", path, body, (501, 12), "needs the Argo backend").await;
    }
}

#[tokio::test]
async fn holds_where_a_stored_pipeline_is_run() {
    let world = World::under(for_team()).await;
    let (here, there) = (world.experiment("team", "e").await, world.experiment("other", "e").await);
    for (definition, words, status) in [(as_root().0, as_root().1, None), (harmful().0, harmful().1, Some((501, 12)))] {
        let name = if status.is_some() { "v1" } else { "v2" };
        let path = format!("{PIPELINES}/upload?namespace=team&name={name}");
        let (_, made) = world.upload(&path, "p.yaml", file(&definition)).await;
        let stored = json!({"pipeline_version_reference": {"pipeline_id": text(&made, "pipeline_id")}});
        for (path, body) in executions(&there, stored.clone(), None) {
            world.refused("POST", path, body, (400, 3), words).await;
        }
        for (path, body) in executions(&here, stored, None) {
            match status {
                None => drop(world.post(path, body).await),
                Some(status) => world.refused("POST", path, body, status, "needs the Argo backend").await,
            }
        }
    }
}

/// What was stored before the policy was as strict is judged when it is to go on.
#[tokio::test]
async fn holds_for_what_goes_on() {
    let world = World::new().await;
    let experiment = ExperimentId::from_text(world.experiment("other", "e").await);
    let home = Home::Namespace(namespace("other"));
    let spec = Package::from_json(&as_root().0).unwrap().canonical().unwrap();
    let new = NewRun {
        id: None,
        experiment_id: experiment.clone(),
        name: "r".into(),
        description: String::new(),
        service_account: String::new(),
        source: Source::Inline,
        spec: spec.clone(),
        parameters: Map::new(),
        pipeline_root: String::new(),
    };
    let run = world.store.create_run(&Grant::forge("jane", home.clone()), new).await.unwrap().id;
    let new = NewRecurringRun {
        experiment_id: experiment,
        name: "r".into(),
        description: String::new(),
        service_account: String::new(),
        executes: Executes::Pinned { source: Source::Inline, spec },
        parameters: Map::new(),
        pipeline_root: String::new(),
        trigger: Trigger::Once,
        max_concurrency: 1,
        catchup: false,
        enabled: false,
    };
    let recurring = world.store.create_recurring_run(&Grant::forge("jane", home), new).await.unwrap().id;
    let words = "its definition is not allowed any more: platforms.kubernetes";
    for path in [
        format!("{RUNS}/{run}:retry"),
        format!("/apis/v1beta1/runs/{run}/retry"),
        format!("{RECURRING}/{recurring}:enable"),
        format!("/apis/v1beta1/jobs/{recurring}/enable"),
    ] {
        world.refused("POST", &path, Value::Null, (400, 9), words).await;
    }
    assert_eq!(world.get(&format!("{RECURRING}/{recurring}")).await["status"], "DISABLED");
}

#[tokio::test]
async fn manifests_of_version_1_can_be_blocked() {
    let namespaces = [namespace("team")].into();
    let v1 = V1::Only { namespaces, server: namespace("kubeflow") };
    let world = World::under(Policies { v1, ..Policies::default() }).await;
    let upload = |space: &str| format!("{PIPELINES}/upload?namespace={space}&name=old");
    let (status, answer) = world.upload(&upload("team"), "old.json", manifest().to_string()).await;
    assert_eq!(status, 200, "{answer:#}");
    for (space, named) in [("other", "other"), ("", "kubeflow")] {
        let (status, answer) = world.upload(&upload(space), "old.json", manifest().to_string()).await;
        let words = format!("refused in namespace {named} by the server's configuration (policy.block_v1)");
        assert!(status == 400 && answer.to_string().contains(&words), "{space}: {answer:#}");
        world.pipeline(space, "new").await;
    }
    let stored = json!({"pipeline_version_reference": {"pipeline_id": text(&answer, "pipeline_id")}});
    let there = world.experiment("other", "e").await;
    for (path, body) in executions(&there, json!({"pipeline_spec": manifest()}), Some(&manifest().to_string()))
        .into_iter()
        .chain(executions(&there, stored, None))
    {
        world.refused("POST", path, body, (400, 3), "policy.block_v1").await;
    }
}
