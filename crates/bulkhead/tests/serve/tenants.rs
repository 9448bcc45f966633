//! Tenants: what one cannot learn of another, and manifests that change while the server runs.
use crate::{
    eventually,
    grpc::{bearing, channel},
    http,
    runs::{experiment, pipeline, run},
    server::{JANE, JOHN, NO_TASKS, Place, shared},
};
use api::{
    v1::{self, run_service_client::RunServiceClient as RunsV1},
    v2::{
        GetExperimentRequest, GetPipelineRequest, GetRunRequest, experiment_service_client::ExperimentServiceClient,
        pipeline_service_client::PipelineServiceClient, run_service_client::RunServiceClient,
    },
};
use serde_json::{Value, json};
use std::fs;
use tonic::Status;

/// An id of the usual length that nothing has.
const ABSENT: &str = "01890000-0000-7000-8000-000000000000";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_foreign_looks_like_what_is_absent() {
    let server = shared();
    let experiment = experiment(&server, JANE, "jane-doe");
    let run = server.call(JANE, "POST", "/apis/v2beta1/runs", &run(&experiment, &pipeline("true"))).ok();
    let run = run["run_id"].as_str().unwrap();
    let new = json!({"name": format!("p-{experiment}"), "namespace": "jane-doe"});
    let pipeline = server.call(JANE, "POST", "/apis/v2beta1/pipelines", &new).ok();
    let pipeline = pipeline["pipeline_id"].as_str().unwrap();

    for (method, path, id) in [
        ("GET", "/apis/v2beta1/experiments/ID", experiment.as_str()),
        ("DELETE", "/apis/v2beta1/experiments/ID", &experiment),
        ("GET", "/apis/v1beta1/experiments/ID", &experiment),
        ("GET", "/apis/v2beta1/runs?experiment_id=ID", &experiment),
        ("GET", "/apis/v2beta1/runs/ID", run),
        ("DELETE", "/apis/v2beta1/runs/ID", run),
        ("POST", "/apis/v2beta1/runs/ID:terminate", run),
        ("GET", "/apis/v1beta1/runs/ID", run),
        ("GET", "/apis/v2beta1/pipelines/ID", pipeline),
        ("DELETE", "/apis/v2beta1/pipelines/ID", pipeline),
        ("GET", "/apis/v2beta1/pipelines/ID/versions", pipeline),
        ("GET", "/apis/v1beta1/pipelines/ID/templates", pipeline),
    ] {
        let ask = |id: &str| server.call(JOHN, method, &path.replace("ID", id), &Value::Null);
        let (foreign, absent) = (ask(id), ask(ABSENT));
        assert_eq!((foreign.status, absent.status), (404, 404), "{method} {path}: {}", foreign.body);
        assert_eq!(foreign.body, absent.body.replace(ABSENT, id), "{method} {path}");
    }

    let (channel, john) = (channel(server.api()).await, server.token(JOHN));
    let mut experiments = ExperimentServiceClient::new(channel.clone());
    let mut pipelines = PipelineServiceClient::new(channel.clone());
    let mut runs = RunServiceClient::new(channel.clone());
    let mut runs_v1 = RunsV1::new(channel);
    let mut pairs = Vec::new();
    for (id, of) in [(experiment.as_str(), 0), (pipeline, 1), (run, 2), (run, 3)] {
        let mut answers = Vec::new();
        for id in [id, ABSENT] {
            let id = id.to_owned();
            answers.push(match of {
                0 => {
                    let request = GetExperimentRequest { experiment_id: id };
                    experiments.get_experiment(bearing(&john, request)).await.map(drop)
                }
                1 => {
                    let request = GetPipelineRequest { pipeline_id: id };
                    pipelines.get_pipeline(bearing(&john, request)).await.map(drop)
                }
                2 => {
                    let request = GetRunRequest { run_id: id, ..Default::default() };
                    runs.get_run(bearing(&john, request)).await.map(drop)
                }
                _ => runs_v1.get_run_v1(bearing(&john, v1::GetRunRequest { run_id: id })).await.map(drop),
            });
        }
        let [foreign, absent] = answers.try_into().unwrap();
        pairs.push((id, foreign.unwrap_err(), absent.unwrap_err()));
    }
    for (id, foreign, absent) in pairs {
        assert_eq!(shape(&foreign, id), shape(&absent, ABSENT));
        assert_eq!(foreign.code(), tonic::Code::NotFound);
    }
    assert_eq!(server.call(JANE, "GET", &format!("/apis/v2beta1/runs/{run}"), &Value::Null).status, 200);
}

/// All that a client gets of an error, with `ID` in the place of the id.
fn shape(status: &Status, id: &str) -> (i32, String, String, Vec<String>) {
    let details = String::from_utf8_lossy(status.details()).replace(id, "ID");
    let mut names: Vec<_> = status.metadata().keys().map(|key| format!("{key:?}")).collect();
    names.sort();
    (status.code() as i32, status.message().replace(id, "ID"), details, names)
}

#[test]
fn manifests_are_followed_as_they_change() {
    let server = Place::new().serve(NO_TASKS);
    let file = server.place.path("profiles/jane-doe.yaml");
    let good = fs::read_to_string(&file).unwrap();
    let ready = || http::call(server.admin(), "GET", "/readyz", &[], "");
    let becomes =
        |status| eventually(&format!("/readyz answers {status}"), || Some(ready()).filter(|a| a.status == status));
    let list = |user: &str, namespace: &str| {
        let path = format!("/apis/v2beta1/experiments?namespace={namespace}");
        server.call(user, "GET", &path, &Value::Null)
    };
    becomes(200);
    list(JANE, "jane-doe").ok();

    fs::write(&file, "apiVersion: [").unwrap();
    let told = becomes(503);
    assert!(told.body.contains("manifests") && !told.body.contains("jane"), "{}", told.body);
    list(JANE, "jane-doe").ok();
    list(JOHN, "john-roe").ok();

    fs::write(&file, good).unwrap();
    becomes(200);

    fs::remove_file(&file).unwrap();
    let denied = eventually("a removed manifest withdraws the rights", || {
        Some(list(JANE, "jane-doe")).filter(|answer| answer.status != 200)
    });
    denied.refused(403, 7, "jane@example.com may not list experiments");
    list(JOHN, "john-roe").ok();
    assert_eq!(ready().status, 200);
}
