//! Runs, from their creation to what is left of them, without Python.
use crate::{
    eventually, http,
    server::{JANE, Place, Server, shared},
};
use serde_json::{Value, json};
use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
};

#[test]
fn a_run_passes_values_from_task_to_task() {
    let server = shared();
    let say = r#"echo -n hi > "{{$.outputs.parameters['o'].output_file}}""#;
    let mut spec = pipeline(say);
    let check = r#"test "{{$.inputs.parameters['i']}}" = hi"#;
    let container = json!({"container": {"image": "none", "command": ["sh", "-c", check]}});
    spec["deploymentSpec"]["executors"]["exec-check"] = container;
    spec["components"]["comp-say"]["outputDefinitions"] = json!({"parameters": {"o": {"parameterType": "STRING"}}});
    let inputs = json!({"parameters": {"i": {"parameterType": "STRING"}}});
    spec["components"]["comp-check"] = json!({"executorLabel": "exec-check", "inputDefinitions": inputs});
    let from = json!({"taskOutputParameter": {"producerTask": "say", "outputParameterKey": "o"}});
    spec["root"]["dag"]["tasks"]["check"] =
        json!({"componentRef": {"name": "comp-check"}, "inputs": {"parameters": {"i": from}}});

    let id = start(&server, &spec);
    let run = ends(&server, &id);
    assert_eq!(run["state"], "SUCCEEDED", "{run:#}");
    assert!(run["finished_at"].as_str().unwrap() >= run["created_at"].as_str().unwrap(), "{run:#}");
    let states: Vec<_> = run["state_history"].as_array().unwrap().iter().map(|change| &change["state"]).collect();
    assert_eq!(states, ["PENDING", "RUNNING", "SUCCEEDED"]);
    let tasks = run["run_details"]["task_details"].as_array().unwrap();
    let mut names: Vec<_> = tasks.iter().map(|task| task["display_name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["check", "say"], "{run:#}");
    for task in tasks {
        assert_eq!((&task["run_id"], &task["state"]), (&run["run_id"], &json!("SUCCEEDED")), "{task:#}");
        for time in ["create_time", "start_time", "end_time"] {
            assert_ne!(task[time], "1970-01-01T00:00:00Z", "{time} of {task:#}");
        }
    }
    let v1 = server.call(JANE, "GET", &format!("/apis/v1beta1/runs/{id}"), &Value::Null).ok();
    assert_eq!(v1["run"]["status"], "Succeeded");
}

#[test]
fn a_failure_is_told_with_the_end_of_the_log() {
    let server = shared();
    let run = ends(&server, &start(&server, &pipeline("echo it broke here >&2; exit 3")));
    assert_eq!(run["state"], "FAILED", "{run:#}");
    let task = &run["run_details"]["task_details"][0];
    assert_eq!(task["state"], "FAILED");
    let error = task["error"]["message"].as_str().unwrap();
    assert!(error.contains('3') && error.contains("it broke here"), "{error}");
}

#[test]
fn a_deleted_run_leaves_nothing() {
    let server = shared();
    let marker = marker();
    let id = start(&server, &pipeline(&format!("sleep {marker}; true")));
    eventually("the task runs", || (processes(&marker) > 0).then_some(()));
    let folder = server.place.path("data/ns/jane-doe/runs").join(&id);
    assert!(folder.is_dir());
    let path = format!("/apis/v2beta1/runs/{id}");
    assert_eq!(server.call(JANE, "DELETE", &path, &Value::Null).ok(), json!({}));
    server.call(JANE, "GET", &path, &Value::Null).refused(404, 5, &id);
    server.call(JANE, "DELETE", &path, &Value::Null).refused(404, 5, &id);
    eventually("no process of the run is left", || (processes(&marker) == 0).then_some(()));
    eventually("no folder of the run is left", || (!folder.exists()).then_some(()));
}

#[test]
fn a_finished_run_takes_its_folder_along() {
    let server = shared();
    let id = start(&server, &pipeline("true"));
    ends(&server, &id);
    let folder = server.place.path("data/ns/jane-doe/runs").join(&id);
    assert!(folder.is_dir());
    server.call(JANE, "DELETE", &format!("/apis/v2beta1/runs/{id}"), &Value::Null).ok();
    eventually("no folder of the run is left", || (!folder.exists()).then_some(()));
}

#[test]
fn runs_that_are_not_kept_go_with_their_folders() {
    let server = Place::new().serve("retention: {max_count: 1, interval: 1}\n");
    let first = start(&server, &pipeline("true"));
    ends(&server, &first);
    let folder = |id: &str| server.place.path("data/ns/jane-doe/runs").join(id);
    assert!(folder(&first).is_dir());
    let second = start(&server, &pipeline("true"));
    ends(&server, &second);
    eventually("no folder of the older run is left", || (!folder(&first).exists()).then_some(()));
    server.call(JANE, "GET", &format!("/apis/v2beta1/runs/{first}"), &Value::Null).refused(404, 5, &first);
    server.call(JANE, "GET", &format!("/apis/v2beta1/runs/{second}"), &Value::Null).ok();
    assert!(folder(&second).is_dir());
}

#[test]
fn a_dry_run_deletes_nothing() {
    let server = Place::new().serve("retention: {max_count: 1, interval: 1, dry_run: true}\n");
    let runs = [(); 2].map(|()| start(&server, &pipeline("true")));
    runs.iter().for_each(|id| drop(ends(&server, id)));
    eventually("it is said what would go", || server.log().contains("would be deleted by retention").then_some(()));
    for id in runs {
        server.call(JANE, "GET", &format!("/apis/v2beta1/runs/{id}"), &Value::Null).ok();
    }
}

#[test]
fn a_terminated_run_ends_failed_and_says_by_whom() {
    let server = shared();
    let marker = marker();
    let id = start(&server, &pipeline(&format!("sleep {marker}; true")));
    eventually("the task runs", || (processes(&marker) > 0).then_some(()));
    let path = format!("/apis/v2beta1/runs/{id}:terminate");
    assert_eq!(server.call(JANE, "POST", &path, &Value::Null).ok(), json!({}));
    let run = ends(&server, &id);
    assert_eq!(run["state"], "FAILED", "{run:#}");
    let states: Vec<_> = run["state_history"].as_array().unwrap().iter().map(|change| &change["state"]).collect();
    assert_eq!(states, ["PENDING", "RUNNING", "CANCELING", "FAILED"]);
    assert!(run["error"]["message"].as_str().unwrap().contains(JANE), "{run:#}");
    eventually("no process of the run is left", || (processes(&marker) == 0).then_some(()));
    server.call(JANE, "POST", &path, &Value::Null).refused(400, 3, "has ended as FAILED");
}

/// Where all code is the user's own, a run needs no sandbox and no login.
#[test]
fn a_single_user_runs_without_either() {
    let server = Place::new().serve("multi_user: false\nexecutor: {sandbox: none}\n");
    let call = |method: &str, path: &str, body: &str| http::call(server.api(), method, path, &[], body).ok();
    let new = json!({"display_name": "run", "pipeline_spec": pipeline("true")});
    let made = call("POST", "/apis/v2beta1/runs", &new.to_string());
    let id = made["run_id"].as_str().unwrap();
    let path = format!("/apis/v2beta1/runs/{id}");
    eventually("the run has succeeded", || (call("GET", &path, "")["state"] == "SUCCEEDED").then_some(()));
    assert!(server.place.path("data/ns/_/runs").join(id).is_dir());
}

/// Makes an experiment with a name of its own.
#[track_caller]
pub(crate) fn experiment(server: &Server, user: &str, namespace: &str) -> String {
    let new = json!({"display_name": format!("e-{}", number()), "namespace": namespace});
    let made = server.call(user, "POST", "/apis/v2beta1/experiments", &new).ok();
    made["experiment_id"].as_str().unwrap().to_owned()
}

/// A pipeline of one task, which is a line of shell.
pub(crate) fn pipeline(line: &str) -> Value {
    json!({
        "pipelineInfo": {"name": "inline"},
        "schemaVersion": "2.1.0",
        "deploymentSpec": {"executors": {"exec-say": {"container": {"image": "none", "command": ["sh", "-c", line]}}}},
        "components": {"comp-say": {"executorLabel": "exec-say"}},
        "root": {"dag": {"tasks": {"say": {"componentRef": {"name": "comp-say"}}}}},
    })
}

/// The request for a run.
pub(crate) fn run(experiment: &str, pipeline: &Value) -> Value {
    json!({"display_name": "run", "experiment_id": experiment, "pipeline_spec": pipeline})
}

#[track_caller]
pub(crate) fn start(server: &Server, pipeline: &Value) -> String {
    let experiment = experiment(server, JANE, "jane-doe");
    let made = server.call(JANE, "POST", "/apis/v2beta1/runs", &run(&experiment, pipeline)).ok();
    made["run_id"].as_str().unwrap().to_owned()
}

/// The run once it has ended.
#[track_caller]
pub(crate) fn ends(server: &Server, id: &str) -> Value {
    eventually("the run has ended", || {
        let run = server.call(JANE, "GET", &format!("/apis/v2beta1/runs/{id}"), &Value::Null).ok();
        matches!(run["state"].as_str(), Some("SUCCEEDED" | "FAILED")).then_some(run)
    })
}

fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A time to sleep that no other process of this machine sleeps.
pub(crate) fn marker() -> String {
    format!("1000.{:07}{:04}", std::process::id(), number())
}

/// How many processes have the marker in their command line.
pub(crate) fn processes(marker: &str) -> usize {
    let commands = fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    commands.filter(|command| String::from_utf8_lossy(command).contains(marker)).count()
}
