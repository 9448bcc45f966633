//! Logs and artifacts, from services whose streams do what the node's name says.
use std::{
    convert::Infallible,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use gateway::Options;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::{Value, json};
use tonic::{
    Status,
    server::{Grpc, NamedService, ServerStreamingService},
    service::Routes,
};
use tower::{Service, ServiceExt as _};

use crate::{
    echo::{Answer, Identity, Raw},
    run, text,
};

#[derive(Clone)]
struct Logs;

#[derive(Clone)]
struct Artifacts;

/// One call of the method of that name.
struct Call(String);

/// `bulkhead.v1.Chunk`.
#[derive(Clone, PartialEq, prost::Message)]
struct Chunk {
    #[prost(bytes = "bytes", tag = "1")]
    data: Bytes,
}

/// Counts the streams that are there.
struct Open;

static OPEN: AtomicUsize = AtomicUsize::new(0);

impl Open {
    fn new() -> Self {
        OPEN.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::SeqCst);
    }
}

static DESCRIPTORS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let proto = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto");
    let mut compiler = protox::Compiler::new([proto]).unwrap();
    compiler.include_imports(true).open_file("bulkhead/v1/files.proto").unwrap();
    compiler.encode_file_descriptor_set()
});

impl NamedService for Logs {
    const NAME: &'static str = "bulkhead.v1.LogService";
}

impl NamedService for Artifacts {
    const NAME: &'static str = "bulkhead.v1.ArtifactService";
}

macro_rules! streaming {
    ($service:ty) => {
        impl Service<Request<tonic::body::Body>> for $service {
            type Response = Response<tonic::body::Body>;
            type Error = Infallible;
            type Future = Answer<Self::Response, Infallible>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
                let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
                Box::pin(async move { Ok(Grpc::new(Raw).server_streaming(Call(method), request).await) })
            }
        }
    };
}

streaming!(Logs);
streaming!(Artifacts);

fn chunk(data: impl Into<Bytes>) -> Bytes {
    Chunk { data: data.into() }.encode_to_vec().into()
}

impl ServerStreamingService<Bytes> for Call {
    type Response = Bytes;
    type ResponseStream = BoxStream<'static, Result<Bytes, Status>>;
    type Future = Answer<tonic::Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let pool = DescriptorPool::decode(DESCRIPTORS.as_slice()).unwrap();
        let message = pool.get_message_by_name(&format!("bulkhead.v1.{}Request", self.0)).unwrap();
        let identity = request.extensions().get::<Identity>().map_or("", |identity| identity.0);
        let request = DynamicMessage::decode(message, request.into_inner()).unwrap();
        let options = SerializeOptions::new().use_proto_field_name(true);
        let mut seen = request.serialize_with_options(serde_json::value::Serializer, &options).unwrap();
        let node = seen["node_id"].as_str().unwrap_or_default().to_owned();
        seen["identity"] = json!(identity);
        let broken = || Err(Status::permission_denied("it was withdrawn"));
        let stream = match node.as_str() {
            "absent" => Err(Status::not_found("Task absent not found")),
            "nobody" => Err(Status::unauthenticated("log in")),
            "late" => Ok(stream::iter([broken()]).boxed()),
            "broken" => Ok(stream::iter([Ok(chunk("first")), broken()]).boxed()),
            "empty" => Ok(stream::empty().boxed()),
            "bytes" => Ok(stream::iter((0..20).map(|size| Ok(chunk(bytes(size))))).boxed()),
            "growing" => {
                let open = Open::new();
                let more = stream::pending().inspect(move |_: &Result<Bytes, Status>| _ = &open);
                Ok(stream::iter([Ok(chunk("first"))]).chain(more).boxed())
            }
            _ => Ok(stream::iter([Ok(chunk(seen.to_string()))]).boxed()),
        };
        Box::pin(async move { stream.map(tonic::Response::new) })
    }
}

/// Bytes that are no text.
fn bytes(size: u8) -> Vec<u8> {
    (0..size).map(|at| 255 - at).collect()
}

async fn ask(method: &str, uri: &str) -> Response<Body> {
    let options = Options { max_message: 1 << 20 };
    let routes = Routes::new(Logs).add_service(Artifacts);
    let router = gateway::files(routes, &DESCRIPTORS, options).unwrap();
    let mut request = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
    request.extensions_mut().insert(Identity("jane"));
    router.oneshot(request).await.unwrap()
}

fn get(uri: &str) -> (u16, String) {
    run(async {
        let response = ask("GET", uri).await;
        (response.status().as_u16(), text(response).await)
    })
}

#[track_caller]
fn seen(body: &str, expect: &Value) {
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), *expect);
}

#[test]
fn a_log_is_text() {
    for version in ["v1alpha1", "v1beta1"] {
        let uri = format!("/apis/{version}/runs/r/nodes/say/log");
        let response = run(ask("GET", &uri));
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-cache, private");
        let expect = json!({"run_id": "r", "node_id": "say", "identity": "jane"});
        seen(&run(text(response)), &expect);
    }
    assert_eq!(get("/apis/v1alpha1/runs/r/nodes/empty/log"), (200, String::new()));
}

#[test]
fn an_artifact_is_base64_in_json() {
    for version in ["v1beta1", "v2beta1"] {
        let response = run(ask("GET", &format!("/apis/{version}/runs/r/nodes/say/artifacts/model:read")));
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["cache-control"], "no-cache, private");
        let body: Value = serde_json::from_str(&run(text(response))).unwrap();
        let data = STANDARD.decode(body["data"].as_str().unwrap()).unwrap();
        let expect = json!({"run_id": "r", "node_id": "say", "artifact_name": "model", "identity": "jane"});
        seen(std::str::from_utf8(&data).unwrap(), &expect);
    }
    let whole = STANDARD.encode((0..20).flat_map(bytes).collect::<Vec<u8>>());
    let (status, body) = get("/apis/v2beta1/runs/r/nodes/bytes/artifacts/model:read");
    assert_eq!((status, body), (200, format!("{{\"data\":\"{whole}\"}}")));
    let (status, body) = get("/apis/v2beta1/runs/r/nodes/empty/artifacts/model:read");
    assert_eq!((status, body.as_str()), (200, "{\"data\":\"\"}"));
}

#[test]
fn names_are_decoded_and_the_path_has_the_last_word() {
    let (_, body) =
        get("/apis/v1beta1/runs/a%2Fb/nodes/%C3%A4%20b%3F/log?run_id=other&node_id=x&follow=True&color=red");
    seen(&body, &json!({"run_id": "a/b", "node_id": "ä b?", "follow": true, "identity": "jane"}));
    for (path, name) in
        [("a%2Fb:read", "a/b"), ("a%3Aread:read", "a:read"), ("a%3Aread", "a"), (":read", ""), ("..:read", "..")]
    {
        let (_, body) = get(&format!("/apis/v2beta1/runs/r/nodes/say/artifacts/{path}?artifact_name=other"));
        let body: Value = serde_json::from_str(&body).unwrap();
        let data = STANDARD.decode(body["data"].as_str().unwrap()).unwrap();
        let data: Value = serde_json::from_slice(&data).unwrap();
        assert_eq!(data["artifact_name"].as_str().unwrap_or_default(), name, "{path}");
    }
    for uri in [
        "/apis/v1beta1/runs/r/nodes/%ff/log",
        "/apis/v1beta1/runs/%2/nodes/n/log",
        "/apis/v1beta1/runs/r/nodes/n/log?follow=perhaps",
        "/apis/v2beta1/runs/r/nodes/n/artifacts/%e4:read",
    ] {
        let (status, body) = get(uri);
        assert_eq!((status, &serde_json::from_str::<Value>(&body).unwrap()["code"]), (400, &json!(3)), "{uri}: {body}");
    }
}

#[test]
fn refusals_are_as_everywhere() {
    for (node, status, code) in [("absent", 404, 5), ("nobody", 401, 16), ("late", 403, 7)] {
        for uri in [
            format!("/apis/v1alpha1/runs/r/nodes/{node}/log"),
            format!("/apis/v1beta1/runs/r/nodes/{node}/artifacts/model:read"),
        ] {
            let (got, body) = get(&uri);
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((got, &body["code"]), (status, &json!(code)), "{uri}: {body}");
        }
    }
    // Before a log that is followed has said anything, its caller may be refused all the same.
    assert_eq!(get("/apis/v1alpha1/runs/r/nodes/absent/log?follow=true").0, 404);
    for method in ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
        for uri in ["/apis/v1alpha1/runs/r/nodes/n/log", "/apis/v2beta1/runs/r/nodes/n/artifacts/model:read"] {
            assert_eq!(run(ask(method, uri)).status(), 501, "{method} {uri}");
        }
    }
    for uri in ["/apis/v2beta1/runs/r/nodes/n/artifacts/model", "/apis/v2beta1/runs/r/nodes/n/artifacts/model:write"] {
        let (status, body) = get(uri);
        assert_eq!(status, 404, "{uri}");
        seen(&body, &json!({"code": 5, "message": "Not Found"}));
    }
}

#[test]
fn what_breaks_off_is_not_taken_for_whole() {
    run(async {
        for uri in [
            "/apis/v1beta1/runs/r/nodes/broken/log",
            "/apis/v1beta1/runs/r/nodes/late/log?follow=1",
            "/apis/v1beta1/runs/r/nodes/broken/artifacts/model:read",
        ] {
            let response = ask("GET", uri).await;
            assert_eq!(response.status(), 200, "{uri}");
            assert!(response.into_body().collect().await.is_err(), "{uri}");
        }
    });
}

#[test]
fn a_log_comes_as_it_grows_and_ends_with_its_reader() {
    run(async {
        for follow in ["", "?follow=true"] {
            let response = ask("GET", &format!("/apis/v1beta1/runs/r/nodes/growing/log{follow}")).await;
            let mut body = response.into_body();
            let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(first, "first", "it is sent before the stream ends");
            assert_eq!(OPEN.load(Ordering::SeqCst), 1);
            drop(body);
            assert_eq!(OPEN.load(Ordering::SeqCst), 0, "nobody reads, so nobody sends");
        }
    });
}

#[test]
fn descriptors_without_the_services_are_an_error() {
    let error = gateway::files(Routes::new(Logs), &crate::descriptors(), Options { max_message: 1 }).err().unwrap();
    assert!(error.to_string().contains("bulkhead.v1.LogService"), "{error}");
}
