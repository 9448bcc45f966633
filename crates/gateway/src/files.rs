//! Logs and artifacts of runs: streams of `bulkhead.v1.LogService` and `bulkhead.v1.ArtifactService` as HTTP bodies.
//!
//! The paths are KFP's (KFP API, "Run log" and "Artifact read"). What is refused before the first byte has the JSON
//! error of every other route; what goes wrong later cuts the body off, so that no client takes it for whole.
use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::any,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use http::{
    Method, Request,
    header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    request::Parts,
};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};
use tonic::{Status, metadata::MetadataMap, service::Routes};

use crate::{
    Error, Options,
    call::{self, Caller},
    query, status,
};

/// What ends the path of an artifact.
const READ: &str = ":read";

/// A route that reads a file of a run.
pub(crate) struct File {
    /// The package of the API version that it belongs to.
    pub(crate) package: &'static str,
    pub(crate) path: &'static str,
    /// The RPC behind it.
    pub(crate) service: &'static str,
    pub(crate) rpc: &'static str,
    /// What generated clients call it.
    pub(crate) id: &'static str,
}

pub(crate) const LOGS: &str = "bulkhead.v1.LogService";
const ARTIFACTS: &str = "bulkhead.v1.ArtifactService";

/// All routes. In the router the name of an artifact takes `:read` in: it knows no parameter that is part of a segment.
pub(crate) const PATHS: [File; 4] = [
    File {
        package: "api",
        path: "/apis/v1alpha1/runs/{run_id}/nodes/{node_id}/log",
        service: LOGS,
        rpc: "ReadLog",
        id: "RunService_ReadLogV1Alpha1",
    },
    File {
        package: "api",
        path: "/apis/v1beta1/runs/{run_id}/nodes/{node_id}/log",
        service: LOGS,
        rpc: "ReadLog",
        id: "RunService_ReadLogV1",
    },
    File {
        package: "api",
        path: "/apis/v1beta1/runs/{run_id}/nodes/{node_id}/artifacts/{artifact_name}:read",
        service: ARTIFACTS,
        rpc: "ReadArtifact",
        id: "RunService_ReadArtifactV1",
    },
    File {
        package: "kubeflow.pipelines.backend.api.v2beta1",
        path: "/apis/v2beta1/runs/{run_id}/nodes/{node_id}/artifacts/{artifact_name}:read",
        service: ARTIFACTS,
        rpc: "ReadArtifact",
        id: "RunService_ReadArtifact",
    },
];

/// What a body is made of the bytes.
#[derive(Clone, Copy)]
enum Form {
    /// They are it.
    Text,
    /// `{"data":"<base64>"}`.
    Json,
}

struct Files {
    rpc: MethodDescriptor,
    form: Form,
    caller: Arc<Caller>,
}

/// The routes of logs and artifacts, to be merged into the main router.
///
/// # Errors
/// When `descriptors` are unreadable or lack the services.
pub fn files(routes: Routes, descriptors: &[u8], options: Options) -> Result<axum::Router, Error> {
    let pool = DescriptorPool::decode(descriptors)?;
    let caller = Arc::new(Caller::new(routes, options.max_message));
    let mut router = axum::Router::new();
    for file in PATHS {
        let rpc = call::rpc(&pool, file.service, file.rpc)?;
        let form = if file.service == LOGS { Form::Text } else { Form::Json };
        let state = Arc::new(Files { rpc, form, caller: caller.clone() });
        router = router.route(file.path.trim_end_matches(READ), any(handle).with_state(state));
    }
    Ok(router)
}

async fn handle(State(files): State<Arc<Files>>, request: Request<Body>) -> Response {
    files.serve(&request.into_parts().0).await.unwrap_or_else(|status| status::error_response(&status))
}

impl Files {
    async fn serve(&self, parts: &Parts) -> Result<Response, Status> {
        let message = self.message(parts)?;
        let follow = message.get_field_by_name("follow").is_some_and(|value| value.as_bool() == Some(true));
        let request = tonic::Request::from_parts(MetadataMap::new(), parts.extensions.clone(), message);
        let mut chunks = self.caller.stream(&self.rpc, request).await?.map_ok(data).fuse();
        // What is followed may be silent for long, and the client is to know by then that it is being followed.
        let first = if follow { None } else { chunks.try_next().await? };
        let chunks = stream::iter(first.map(Ok)).chain(chunks).inspect_err(|status| {
            tracing::info!(code = ?status.code(), reason = status.message(), "a body was cut off");
        });
        let (body, kind) = match self.form {
            Form::Text => (Body::from_stream(chunks), "text/plain; charset=utf-8"),
            Form::Json => (Body::from_stream(json(chunks)), "application/json"),
        };
        let headers = [(CONTENT_TYPE, kind), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (CACHE_CONTROL, "no-cache, private")];
        Ok((headers, body).into_response())
    }

    fn message(&self, parts: &Parts) -> Result<DynamicMessage, Status> {
        // /apis/{version}/runs/{run}/nodes/{node}/...
        let segments: Vec<&str> = parts.uri.path().split('/').collect();
        let [_, _, _, _, run, _, node, rest @ ..] = segments.as_slice() else {
            return Err(Status::not_found("Not Found"));
        };
        let mut fields = vec![("run_id", decoded("run_id", run)?), ("node_id", decoded("node_id", node)?)];
        if let [_, name] = rest {
            let mut name = decoded("artifact_name", name)?;
            if !name.ends_with(READ) {
                return Err(Status::not_found("Not Found"));
            }
            name.truncate(name.len() - READ.len());
            fields.push(("artifact_name", name));
        }
        if parts.method != Method::GET {
            return Err(Status::unimplemented("Method Not Allowed"));
        }
        let mut message = DynamicMessage::new(self.rpc.input());
        query::bind_but(None, parts.uri.query().unwrap_or_default(), &mut message)?;
        for (field, text) in fields {
            message.set_field_by_name(field, Value::String(text));
        }
        Ok(message)
    }
}

fn decoded(name: &str, text: &str) -> Result<String, Status> {
    let bad = || Status::invalid_argument(format!("path parameter {name}: {}", query::NOT_DECODABLE));
    query::percent_decode(text).ok_or_else(bad)
}

/// The bytes of a chunk.
fn data(chunk: DynamicMessage) -> Bytes {
    let data = chunk.get_field_by_name("data");
    data.and_then(|value| value.as_bytes().cloned()).unwrap_or_default()
}

/// The bytes as the one field of an object. Base64 is made of threes, and what is left over waits for the next chunk.
fn json(chunks: impl Stream<Item = Result<Bytes, Status>>) -> impl Stream<Item = Result<Bytes, Status>> {
    let mut rest = Vec::new();
    let encoded = chunks.map_ok(Some).chain(stream::iter([Ok(None)])).map_ok(move |chunk| match chunk {
        Some(bytes) => {
            rest.extend_from_slice(&bytes);
            let left = rest.split_off(rest.len() - rest.len() % 3);
            Bytes::from(BASE64.encode(std::mem::replace(&mut rest, left)))
        }
        None => Bytes::from(BASE64.encode(&rest) + "\"}"),
    });
    stream::iter([Ok(Bytes::from_static(b"{\"data\":\""))]).chain(encoded)
}
