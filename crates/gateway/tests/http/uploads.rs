//! Uploads of pipeline packages, against a service that describes what it got.
use std::{
    convert::Infallible,
    sync::LazyLock,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use gateway::Options;
use http::Request;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions, Value as Field};
use serde_json::{Value, json};
use tonic::{
    Response, Status,
    server::{Grpc, NamedService, UnaryService},
    service::Routes,
};
use tower::{Service, ServiceExt as _};

use crate::{
    echo::{Answer, Raw},
    run, text,
};

/// Answers with the request as JSON, in the description of all that it answers with.
#[derive(Clone)]
struct Describe;

/// One call of the method of that name.
struct Call(String);

static DESCRIPTORS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let proto = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto");
    let mut compiler = protox::Compiler::new([proto]).unwrap();
    compiler.include_imports(true).open_file("bulkhead/v1/upload.proto").unwrap();
    compiler.encode_file_descriptor_set()
});

impl NamedService for Describe {
    const NAME: &'static str = "bulkhead.v1.UploadService";
}

impl Service<Request<tonic::body::Body>> for Describe {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Answer<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
        Box::pin(async move { Ok(Grpc::new(Raw).unary(Call(method), request).await) })
    }
}

impl UnaryService<Bytes> for Call {
    type Response = Bytes;
    type Future = Answer<Response<Bytes>, Status>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let pool = DescriptorPool::decode(DESCRIPTORS.as_slice()).unwrap();
        let message = |end: &str| pool.get_message_by_name(&format!("bulkhead.v1.{}{end}", self.0)).unwrap();
        let request = DynamicMessage::decode(message("Request"), request.into_inner()).unwrap();
        let options = SerializeOptions::new().use_proto_field_name(true);
        let json = request.serialize_with_options(serde_json::value::Serializer, &options).unwrap();
        let refused = json["name"] == "refused";
        let mut reply = DynamicMessage::new(message("Response"));
        for field in message("Response").fields() {
            let kind = field.kind();
            let mut part = DynamicMessage::new(kind.as_message().unwrap().clone());
            part.set_field_by_name("name", Field::String(field.name().to_owned()));
            part.set_field_by_name("description", Field::String(json.to_string()));
            reply.set_field(&field, Field::Message(part));
        }
        let answer = if refused { Err(Status::permission_denied("you may not")) } else { Ok(reply) };
        Box::pin(async move { answer.map(|reply| Response::new(reply.encode_to_vec().into())) })
    }
}

/// A form of one part, with a file.
fn form(part: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--b\r\ncontent-disposition: form-data; name=\"{part}\"; filename=\"hello.yaml\"\r\n\r\n",);
    [head.as_bytes(), content, b"\r\n--b--\r\n"].concat()
}

fn send(method: &str, uri: &str, content_type: &str, body: Vec<u8>) -> (u16, Value) {
    static ROUTER: LazyLock<axum::Router> = LazyLock::new(|| {
        gateway::uploads(Routes::new(Describe), &DESCRIPTORS, Options { max_message: 1 << 20 }).unwrap()
    });
    let request = Request::builder().method(method).uri(uri).header("content-type", content_type);
    let request = request.body(Body::from(body)).unwrap();
    run(async {
        let response = ROUTER.clone().oneshot(request).await.unwrap();
        (response.status().as_u16(), serde_json::from_str(&text(response).await).unwrap())
    })
}

fn upload(uri: &str, body: Vec<u8>) -> (u16, Value) {
    send("POST", uri, "multipart/form-data; boundary=b", body)
}

/// Checks that an upload is refused in both shapes, with all of `words`.
#[track_caller]
fn refused((status, body): (u16, Value), code: i32, expected: u16, words: &[&str]) {
    assert_eq!((status, &body["code"]), (expected, &json!(code)), "{body}");
    assert_eq!(body["error_message"], body["message"], "{body}");
    assert_eq!(body["error_details"], body["message"], "{body}");
    for word in words {
        assert!(body["message"].as_str().unwrap().contains(word), "{body} lacks {word}");
    }
}

const PIPELINE: &str = "/apis/v2beta1/pipelines/upload";
const VERSION: &str = "/apis/v2beta1/pipelines/upload_version";
const FORM: &str = "uploadfile";

#[test]
fn a_file_and_a_query_become_a_request() {
    let package = json!({"filename": "hello.yaml", "content": "YTogMQo="});
    let nothing = json!({"package": package});
    let named = |field: &str, value: Value| {
        let mut all = nothing.clone();
        all[field] = value;
        all
    };
    for (uri, reply, expected) in [
        (PIPELINE, "pipeline", nothing.clone()),
        (VERSION, "version", nothing.clone()),
        ("/apis/v1beta1/pipelines/upload", "pipeline_v1", nothing.clone()),
        ("/apis/v1beta1/pipelines/upload_version", "version_v1", nothing.clone()),
        (&format!("{PIPELINE}?name=a+b%2Fc"), "pipeline", named("name", json!("a b/c"))),
        (&format!("{PIPELINE}?display_name=d"), "pipeline", named("display_name", json!("d"))),
        (&format!("{PIPELINE}?description=d"), "pipeline", named("description", json!("d"))),
        (&format!("{PIPELINE}?namespace=ns"), "pipeline", named("namespace", json!("ns"))),
        (&format!("{PIPELINE}?code_source_url=u"), "pipeline", named("code_source_url", json!("u"))),
        (&format!("{PIPELINE}?tags=%7B%22a%22:%22b%22%7D"), "pipeline", named("tags", json!({"a": "b"}))),
        (&format!("{PIPELINE}?tags="), "pipeline", nothing.clone()),
        (&format!("{PIPELINE}?tags=%7B%7D"), "pipeline", nothing.clone()),
        (&format!("{PIPELINE}?pipelineid=p&package=x&unknown=1"), "pipeline", nothing.clone()),
        (&format!("{VERSION}?pipelineid=p"), "version", named("pipeline_id", json!("p"))),
        (&format!("{VERSION}?pipeline_id=p"), "version", named("pipeline_id", json!("p"))),
        (&format!("{VERSION}?namespace=ns"), "version", nothing.clone()),
    ] {
        let (status, body) = upload(uri, form(FORM, b"a: 1\n"));
        assert_eq!(status, 200, "{uri}: {body}");
        assert_eq!(body["name"], reply, "{uri}");
        let got: Value = serde_json::from_str(body["description"].as_str().unwrap()).unwrap();
        assert_eq!(got, expected, "{uri}");
    }
}

#[test]
fn forms_without_a_file_are_refused() {
    let whole = form(FORM, b"a: 1\n");
    let cut = |end: usize| whole[..whole.len() - end].to_vec();
    for (body, words) in [
        (form("file", b"a: 1\n"), &["no file", FORM][..]),
        (b"--b--\r\n".to_vec(), &["no file"]),
        (cut(12), &["ended early"]),
        (cut(whole.len() - 20), &["not understood"]),
        (Vec::new(), &["not understood"]),
    ] {
        refused(upload(PIPELINE, body), 3, 400, words);
    }
    for content_type in ["application/json", "multipart/form-data", ""] {
        refused(send("POST", PIPELINE, content_type, whole.clone()), 3, 400, &["not understood"]);
    }
}

#[test]
fn tags_must_be_an_object_of_strings() {
    for tags in ["x", "[]", "null", "1", "%7B%22a%22:1%7D", "%7B%22a%22:%22b%22", "%7B%22a%22:%7B%7D%7D"] {
        refused(upload(&format!("{PIPELINE}?tags={tags}"), form(FORM, b"")), 3, 400, &["query parameter tags"]);
    }
}

#[test]
fn files_have_a_limit() {
    let body = form(FORM, &vec![b'a'; (32 << 20) + 1]);
    refused(upload(PIPELINE, body), 3, 400, &["too large", "33554433", "32 MiB"]);
}

#[test]
fn other_methods_are_unimplemented() {
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        for uri in [PIPELINE, VERSION] {
            let got = send(method, uri, "multipart/form-data; boundary=b", form(FORM, b""));
            assert_eq!(got, (501, json!({"code": 12, "message": "Method Not Allowed"})), "{method} {uri}");
        }
    }
}

#[test]
fn refusals_of_the_service_keep_their_status() {
    refused(upload(&format!("{PIPELINE}?name=refused"), form(FORM, b"")), 7, 403, &["you may not"]);
}

#[test]
fn descriptors_must_have_the_service() {
    let options = Options { max_message: 1024 };
    let error = gateway::uploads(Routes::default(), &crate::descriptors(), options).unwrap_err();
    assert!(error.to_string().contains("bulkhead.v1.UploadService"), "{error}");
}
