//! Quotas from the configuration to the client.
use crate::{
    grpc,
    http::{self, Answer},
    server::{JANE, JOHN, NO_TASKS, Place, Server},
};
use api::{
    bulkhead::v1::{GetQuotaRequest, Quota, quota_service_client::QuotaServiceClient},
    v2::{CreatePipelineRequest, Pipeline, pipeline_service_client::PipelineServiceClient},
};
use serde_json::{Value, json};

const PIPELINES: &str = "/apis/v2beta1/pipelines";

#[track_caller]
fn pipeline(server: &Server, user: &str, namespace: &str, name: &str) -> Answer {
    server.call(user, "POST", PIPELINES, &json!({"name": name, "namespace": namespace}))
}

#[track_caller]
fn standing(answer: &Answer) -> Vec<(String, u64, u64)> {
    let quotas = answer.ok()["quotas"].as_array().unwrap().clone();
    let number = |quota: &Value, name: &str| quota.get(name).map_or(0, |number| number.as_u64().unwrap());
    let read =
        |quota: &Value| (quota["name"].as_str().unwrap().to_owned(), number(quota, "limit"), number(quota, "used"));
    quotas.iter().map(read).collect()
}

fn expected(all: [(&str, u64, u64); 4]) -> Vec<(String, u64, u64)> {
    all.map(|(name, limit, used)| (name.to_owned(), limit, used)).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_has_its_own_or_that_of_all() {
    let quotas = "quotas: {pipelines: 1, stored_runs: 7, namespaces: {john-roe: {pipelines: 2, stored_runs: 0}}}\n";
    let server = Place::new().serve(&format!("{NO_TASKS}{quotas}"));
    pipeline(&server, JANE, "jane-doe", "one").ok();
    let refused = pipeline(&server, JANE, "jane-doe", "two");
    let text = "quota pipelines of namespace jane-doe is used up, 1 of 1: delete pipelines, or ask who runs this server \
                for a larger quota";
    refused.refused(429, 8, text);
    assert_eq!(refused.header("retry-after"), None, "to wait need not help");
    let channel = grpc::channel(server.api()).await;
    let pipeline_of = Pipeline { name: "two".into(), namespace: "jane-doe".into(), ..Pipeline::default() };
    let request = CreatePipelineRequest { pipeline: Some(pipeline_of) };
    let jane = server.token(JANE);
    let mut client = PipelineServiceClient::new(channel.clone());
    let refused = client.create_pipeline(grpc::bearing(&jane, request)).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (tonic::Code::ResourceExhausted, text));
    assert!(refused.metadata().get("retry-after").is_none());
    for name in ["one", "two"] {
        pipeline(&server, JOHN, "john-roe", name).ok();
    }
    pipeline(&server, JOHN, "john-roe", "three").refused(
        429,
        8,
        "quota pipelines of namespace john-roe is used up, 2 of 2",
    );

    let quota = |namespace: &str| format!("/apis/bulkhead/v1/quota?namespace={namespace}");
    let own = server.call(JOHN, "GET", &quota("john-roe"), &Value::Null);
    let expect = [("active_runs", 0, 0), ("stored_runs", 0, 0), ("pipelines", 2, 2), ("recurring_runs", 0, 0)];
    assert_eq!(standing(&own), expected(expect));
    let mut client = QuotaServiceClient::new(channel);
    let request = GetQuotaRequest { namespace: "jane-doe".into() };
    let told = client.get_quota(grpc::bearing(&jane, request.clone())).await.unwrap().into_inner().quotas;
    assert_eq!(
        told[1..3],
        [
            Quota { name: "stored_runs".into(), limit: 7, used: 0 },
            Quota { name: "pipelines".into(), limit: 1, used: 1 },
        ]
    );
    let refused = client.get_quota(grpc::bearing(&server.token(JOHN), request)).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::PermissionDenied);
    server.call(JANE, "GET", &quota("john-roe"), &Value::Null).refused(403, 7, "john-roe");
    server.call(JANE, "GET", &quota(""), &Value::Null).refused(400, 3, "namespace");
}

#[test]
fn a_server_of_one_user_has_that_of_all() {
    let server = Place::new().serve(&format!("multi_user: false\n{NO_TASKS}quotas: {{pipelines: 1}}\n"));
    let make = |name: &str| http::call(server.api(), "POST", PIPELINES, &[], &json!({"name": name}).to_string());
    make("one").ok();
    make("two").refused(429, 8, "quota pipelines of this server is used up, 1 of 1");
    let expect = [("active_runs", 0, 0), ("stored_runs", 0, 0), ("pipelines", 1, 1), ("recurring_runs", 0, 0)];
    assert_eq!(standing(&server.get("/apis/bulkhead/v1/quota", &[])), expected(expect));
}
