//! What surrounds the API: request ids, health, reflection.
use crate::{
    grpc::channel,
    http,
    server::{NO_TASKS, Place, shared},
};
use futures::StreamExt;
use serde_json::json;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

#[test]
fn request_ids_come_back() {
    let server = shared();
    let long = "x".repeat(64);
    for id in ["abc", "0-A_b.c:9", &long] {
        for path in ["/apis/v2beta1/healthz", "/apis/v2beta1/experiments", "/nowhere"] {
            assert_eq!(server.get(path, &[("x-request-id", id)]).header("x-request-id"), Some(id), "{path}");
        }
    }
    let longer = "x".repeat(65);
    for id in ["a b", "a/b", "<b>", "", "\u{e4}", &longer] {
        let answer = server.get("/apis/v2beta1/healthz", &[("x-request-id", id)]);
        let fresh = answer.header("x-request-id").unwrap();
        assert_eq!((answer.status, fresh.len(), fresh.matches('-').count()), (200, 36, 4), "{id:?}: {fresh}");
    }
    let ids = [(); 2].map(|()| server.get("/apis/v2beta1/healthz", &[]).header("x-request-id").unwrap().to_owned());
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn healthz_says_how_many_users_there_are() {
    let single = Place::new().serve(&format!("multi_user: false\ncommit_sha: abc\ntag_name: '1.0'\n{NO_TASKS}"));
    let many = shared();
    for (server, commit, tag, multi_user) in [(&single, "abc", "1.0", false), (&*many, "unknown", "unknown", true)] {
        let v1 = json!({"commit_sha": commit, "tag_name": tag, "multi_user": multi_user});
        let mut v2 = v1.clone();
        v2["pipeline_store"] = "database".into();
        for (path, expect) in [("/apis/v1beta1/healthz", v1), ("/apis/v2beta1/healthz", v2)] {
            let answer = server.get(path, &[]);
            assert_eq!(answer.ok(), expect);
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(http::call(server.api(), "POST", path, &[], "").ok(), expect, "of any method");
        }
    }
    let experiments = single.get("/apis/v2beta1/experiments", &[]).ok();
    assert_eq!(experiments["experiments"][0]["display_name"], "Default", "without a login");
}

/// An empty message as gRPC frames it.
const EMPTY: &str = "\0\0\0\0\0";

#[test]
fn grpc_web_comes_to_the_same_port() {
    let server = shared();
    let kind = "application/grpc-web+proto";
    for path in ["/api.HealthzService/GetHealthz", "/kubeflow.pipelines.backend.api.v2beta1.HealthzService/GetHealthz"]
    {
        let answer = http::call(server.api(), "POST", path, &[("content-type", kind)], EMPTY);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{answer:?}");
        assert!(answer.body.contains("grpc-status:0"), "{answer:?}");
    }
    let path = "/kubeflow.pipelines.backend.api.v2beta1.RunService/ListRuns";
    let answer = http::call(server.api(), "POST", path, &[("content-type", kind)], EMPTY);
    assert!(answer.header("grpc-status") == Some("16") || answer.body.contains("grpc-status:16"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_rpc_gets_an_answer_of_grpc() {
    let server = shared();
    let elsewhere = "http://localhost/no.Such".parse().unwrap();
    let mut client = HealthClient::with_origin(channel(server.api()).await, elsewhere);
    let status = client.check(HealthCheckRequest::default()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (tonic::Code::Unimplemented, "there is no such method"));
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_lists_the_services() {
    let server = shared();
    let mut client = ServerReflectionClient::new(channel(server.api()).await);
    let list = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut answers = client.server_reflection_info(futures::stream::iter([list])).await.unwrap().into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    for service in ["ExperimentService", "PipelineService", "RunService"] {
        for package in ["api", "kubeflow.pipelines.backend.api.v2beta1"] {
            assert!(names.contains(&&*format!("{package}.{service}")), "{package}.{service} is not in {names:?}");
        }
    }
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_health_is_serving() {
    let server = shared();
    let mut client = HealthClient::new(channel(server.api()).await);
    let answer = client.check(HealthCheckRequest { service: String::new() }).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
}
