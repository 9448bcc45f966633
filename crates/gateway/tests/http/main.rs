//! The gateway from outside: HTTP requests against a service that echoes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop at once")]

mod bodies;
mod construction;
mod echo;
mod errors;
mod files;
mod kfp;
mod odd;
mod openapi;
mod paths;
mod queries;
mod surroundings;
mod tags;
mod uploads;

use std::sync::LazyLock;

use axum::{body::Body, response::Response};
use gateway::Options;
use http::Request;
use tonic::service::Routes;
use tower::ServiceExt as _;

/// What `router` gets from most tests.
const LIMIT: usize = 64 * 1024;

/// The descriptors of the echo service, with options.
fn descriptors() -> Vec<u8> {
    let root = env!("CARGO_MANIFEST_DIR");
    let includes = [format!("{root}/tests/protos"), format!("{root}/../../proto")];
    let mut compiler = protox::Compiler::new(includes).unwrap();
    compiler.include_imports(true).open_file("echo.proto").unwrap();
    compiler.encode_file_descriptor_set()
}

fn gateway() -> axum::Router {
    static ROUTER: LazyLock<axum::Router> = LazyLock::new(|| {
        let options = Options { max_message: LIMIT };
        gateway::router(Routes::new(echo::Echo), &descriptors(), options).unwrap()
    });
    ROUTER.clone()
}

fn request(method: &str, uri: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder().method(method).uri(uri).body(body.into()).unwrap()
}

async fn send(request: Request<Body>) -> Response {
    gateway().oneshot(request).await.unwrap()
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Sends a request and compares status and body; bodies as JSON.
#[track_caller]
fn check(method: &str, uri: &str, body: &str, status: u16, expected: &str) {
    let (got_status, got) = answer(method, uri, body.to_owned());
    let line = format!("{method} {uri} {body}");
    assert_eq!(got_status, status, "{line}: {got}");
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(value(&got), value(expected), "{line}");
}

/// Sends a request that must be refused with 400, code 3, and a message that has all of `words`.
#[track_caller]
fn refused(method: &str, uri: &str, body: impl Into<Vec<u8>>, words: &[&str]) {
    let body = body.into();
    let line = format!("{method} {uri} {}", String::from_utf8_lossy(&body[..body.len().min(200)]));
    let (status, got) = answer(method, uri, body);
    assert_eq!(status, 400, "{line}: {got}");
    let json: serde_json::Value = serde_json::from_str(&got).unwrap();
    assert_eq!(json["code"], 3, "{line}: {got}");
    let message = json["message"].as_str().unwrap();
    for word in words {
        assert!(message.contains(word), "{line}: {message} lacks {word}");
    }
}

fn answer(method: &str, uri: &str, body: impl Into<Body>) -> (u16, String) {
    let request = request(method, uri, body);
    run(async {
        let response = send(request).await;
        (response.status().as_u16(), text(response).await)
    })
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
