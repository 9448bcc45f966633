//! Too much, over REST, gRPC and gRPC-Web: who is told, and when to try again.
use crate::{
    grpc, http,
    server::{JANE, JOHN, NO_TASKS, Place, Server},
};
use api::{
    bulkhead::v1::{WhoAmIRequest, access_service_client::AccessServiceClient},
    google::rpc::Status as RpcStatus,
};
use prost::Message as _;
use serde_json::{Value, json};

const EXPERIMENTS: &str = "/apis/v2beta1/experiments?namespace=jane-doe";

fn server(limits: &str) -> Server {
    Place::new().serve(&format!("{NO_TASKS}limits: {{{limits}}}\n"))
}

/// The seconds after which to try again.
#[track_caller]
fn wait(answer: &http::Answer) -> u64 {
    answer.header("retry-after").unwrap().parse().unwrap()
}

#[test]
fn a_user_who_asks_too_often_is_told_so_in_their_own_form() {
    let server = server("user_rate: 1, user_burst: 2");
    (0..2).for_each(|_| drop(server.call(JANE, "GET", EXPERIMENTS, &Value::Null).ok()));
    let refused = server.call(JANE, "GET", EXPERIMENTS, &Value::Null);
    refused.refused(429, 8, "user jane@example.com may send 1 requests a second (limits.user_rate)");
    assert_eq!(wait(&refused), 1);
    // Nobody else is meant.
    server.call(JOHN, "GET", "/apis/v2beta1/experiments?namespace=john-roe", &Value::Null).ok();
    let web = [("authorization", &*format!("Bearer {}", server.token(JANE))), ("content-type", "application/grpc-web")];
    let refused = http::call(server.api(), "POST", "/bulkhead.v1.AccessService/WhoAmI", &web, "\0\0\0\0\0");
    assert_eq!((refused.status, refused.header("grpc-status"), wait(&refused)), (200, Some("8"), 1));
    let metrics = http::call(server.admin(), "GET", "/metrics", &[], "").body;
    assert!(metrics.contains("bulkhead_limited_requests_total{limit=\"user_rate\"} 2"), "{metrics}");
}

#[tokio::test]
async fn grpc_has_the_details() {
    let server = server("user_rate: 1, user_burst: 1");
    let mut client = AccessServiceClient::new(grpc::channel(server.api()).await);
    let token = server.token(JANE);
    client.who_am_i(grpc::bearing(&token, WhoAmIRequest {})).await.unwrap();
    let refused = client.who_am_i(grpc::bearing(&token, WhoAmIRequest {})).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    assert_eq!(refused.metadata().get("retry-after").unwrap(), "1");
    let details = RpcStatus::decode(refused.details()).unwrap().details;
    assert!(details.iter().any(|detail| detail.type_url == "type.googleapis.com/google.rpc.RetryInfo"), "{details:?}");
}

#[test]
fn writes_and_namespaces_have_limits_of_their_own() {
    let server = server("user_write_rate: 1, user_write_burst: 2, namespace_rate: 1, namespace_burst: 4");
    let create = |name: &str| {
        let body = json!({"display_name": name, "namespace": "jane-doe"});
        server.call(JANE, "POST", "/apis/v2beta1/experiments", &body)
    };
    let id = create("a").ok()["experiment_id"].as_str().unwrap().to_owned();
    create("b").ok();
    create("c").refused(429, 8, "user jane@example.com may send 1 requests a second that change something");
    // Reading goes on, until the namespace has had enough: also of whoever names it by an object in it.
    let one = format!("/apis/v2beta1/experiments/{id}");
    server.call(JANE, "GET", &one, &Value::Null).ok();
    server.call(JANE, "GET", EXPERIMENTS, &Value::Null).ok();
    let refused = server.call(JANE, "GET", &one, &Value::Null);
    refused.refused(429, 8, "all users of namespace jane-doe together may send 1 requests a second");
    assert_eq!(wait(&refused), 1);
    // Who may do nothing there uses nothing up, and hears nothing of it.
    server.call(JOHN, "GET", &one, &Value::Null).refused(404, 5, "not found");
    server.call(JOHN, "GET", "/apis/v2beta1/experiments?namespace=john-roe", &Value::Null).ok();
}

#[test]
fn messages_are_as_large_as_is_configured() {
    let server = server("max_message: 1048576");
    let body = json!({"display_name": "a", "description": "x".repeat(2 << 20), "namespace": "jane-doe"});
    let refused = server.call(JANE, "POST", "/apis/v2beta1/experiments", &body);
    assert_eq!(refused.status, 413, "{}", refused.body);
    assert!(refused.body.contains("larger than 1048576 bytes"), "{}", refused.body);
}
