//! What browsers and generators of clients meet: the OpenAPI documents, and CORS as it is configured.
use crate::{
    http,
    server::{NO_TASKS, Place, shared},
};

const PAGE: &str = "https://ui.example.com";
/// An empty message as gRPC frames it.
const EMPTY: &str = "\0\0\0\0\0";

#[test]
fn openapi_documents_need_no_login() {
    let server = shared();
    for (path, route, public) in [
        ("/apis/v1beta1/swagger.json", "/apis/v1beta1/runs/{run_id}:reportMetrics", "/apis/v1beta1/healthz"),
        ("/apis/v2beta1/swagger.json", "/apis/v2beta1/runs/{run_id}:terminate", "/apis/v2beta1/healthz"),
    ] {
        let answer = server.get(path, &[]);
        let document = answer.ok();
        assert_eq!(document["swagger"], "2.0");
        assert!(document["paths"][route]["post"]["summary"].is_string(), "{route}");
        assert_eq!(document["paths"][public]["get"]["security"], serde_json::json!([]));
        let tag = answer.header("etag").unwrap();
        assert_eq!(server.get(path, &[("if-none-match", tag)]).status, 304);
    }
}

/// What is described is there, and nothing but what says so does without a login.
/// A form with a file in it.
const FORM: &str =
    "--cut\r\ncontent-disposition: form-data; name=\"uploadfile\"; filename=\"a.yaml\"\r\n\r\n{}\r\n--cut--\r\n";

#[test]
fn every_operation_asks_for_a_login() {
    let server = shared();
    for version in ["v1beta1", "v2beta1"] {
        let document = server.get(&format!("/apis/{version}/swagger.json"), &[]).ok();
        for (path, operations) in document["paths"].as_object().unwrap() {
            let filled = |part: &str| part.split_once('}').map_or(part.to_owned(), |(_, rest)| format!("x{rest}"));
            let filled: String = path.split('{').map(filled).collect();
            for (method, operation) in operations.as_object().unwrap() {
                let expect = if operation["security"].is_array() { 200 } else { 401 };
                // What comes as a form is read before its sender is asked for.
                let form = ["content-type", "multipart/form-data; boundary=cut"];
                let (headers, body) = match operation["consumes"].is_array() {
                    true => (vec![(form[0], form[1])], FORM),
                    false => (Vec::new(), ""),
                };
                let filled = if body.is_empty() { filled.clone() } else { format!("{filled}?pipelineid=x&name=x") };
                let answer = http::call(server.api(), &method.to_uppercase(), &filled, &headers, body);
                assert_eq!(answer.status, expect, "{method} {filled}: {answer:?}");
            }
        }
    }
}

#[test]
fn pages_of_other_origins_are_let_in_where_they_are_listed() {
    let server = Place::new().serve(&format!("cors: {{allowed_origins: ['{PAGE}']}}\n{NO_TASKS}"));
    let preflight = [
        ("origin", PAGE),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type,x-grpc-web"),
    ];
    let run_service = "/kubeflow.pipelines.backend.api.v2beta1.RunService/ListRuns";
    for path in ["/apis/v2beta1/runs", run_service] {
        let answer = http::call(server.api(), "OPTIONS", path, &preflight, "");
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(PAGE)), "{path}");
        assert!(answer.header("access-control-allow-headers").unwrap().contains("x-grpc-web"), "{answer:?}");
    }
    let refused = server.get("/apis/v2beta1/runs?namespace=jane-doe", &[("origin", PAGE)]);
    refused.refused(401, 16, "");
    assert_eq!(refused.header("access-control-allow-origin"), Some(PAGE), "the page can read why");
    let headers = [("origin", PAGE), ("content-type", "application/grpc-web+proto")];
    let answer = http::call(server.api(), "POST", "/api.HealthzService/GetHealthz", &headers, EMPTY);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(PAGE)));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("grpc-status"), "{answer:?}");
    let stranger = server.get("/apis/v2beta1/healthz", &[("origin", "https://evil.example")]);
    assert_eq!((stranger.status, stranger.header("access-control-allow-origin")), (200, None));
}

#[test]
fn without_a_list_nobody_is_let_in() {
    let headers = [("origin", PAGE), ("access-control-request-method", "GET")];
    let answer = http::call(shared().api(), "OPTIONS", "/apis/v2beta1/runs", &headers, "");
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (501, None));
}
