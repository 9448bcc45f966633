//! Uploads of pipeline packages: multipart forms that become the RPCs of `bulkhead.v1.UploadService`.
//!
//! The file is the part `uploadfile`; everything else is in the query (KFP API, "Pipeline upload").
use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{DefaultBodyLimit, FromRequest as _, Multipart, Query, State, multipart::Field},
    response::Response,
    routing::post,
};
use bytes::Bytes;
use http::{Request, Uri};
use prost_reflect::{DescriptorPool, DynamicMessage, MapKey, MethodDescriptor, ReflectMessage as _, Value};
use tonic::{Status, metadata::MetadataMap, service::Routes};

use crate::{
    Error, Options, body,
    call::{self, Caller},
    status,
};

/// The service behind the routes.
pub(crate) const SERVICE: &str = "bulkhead.v1.UploadService";
/// The routes: path, RPC, and the field of its reply that is the answer.
pub(crate) const PATHS: [(&str, &str, &str); 4] = [
    ("/apis/v1beta1/pipelines/upload", "UploadPipeline", "pipeline_v1"),
    ("/apis/v2beta1/pipelines/upload", "UploadPipeline", "pipeline"),
    ("/apis/v1beta1/pipelines/upload_version", "UploadPipelineVersion", "version_v1"),
    ("/apis/v2beta1/pipelines/upload_version", "UploadPipelineVersion", "version"),
];
/// The multipart part that holds the file.
pub(crate) const PART: &str = "uploadfile";
/// The largest file, in bytes (KFP API: 32 MiB). It bounds what a form can take of memory; `MAX_PACKAGE` of
/// `server::package` is the same number, and holds for calls that do not come through here too.
const MAX_FILE: usize = 32 << 20;
/// How much more is read and dropped, so that a client which is still sending gets to read the refusal.
const MAX_DRAIN: usize = 256 << 20;

/// One route: the RPC behind it, and the field of its reply that the route answers.
struct Upload {
    rpc: MethodDescriptor,
    reply: &'static str,
    caller: Arc<Caller>,
}

/// A file as it came.
struct File {
    name: String,
    content: Bytes,
}

/// The upload routes of both API versions, to be merged into the main router.
///
/// # Errors
/// When `descriptors` are unreadable or lack `bulkhead.v1.UploadService`.
pub fn uploads(routes: Routes, descriptors: &[u8], options: Options) -> Result<axum::Router, Error> {
    let pool = DescriptorPool::decode(descriptors)?;
    let caller = Arc::new(Caller::new(routes, options.max_message));
    let mut router = axum::Router::new();
    for (path, name, reply) in PATHS {
        let rpc = call::rpc(&pool, SERVICE, name)?;
        let upload = Arc::new(Upload { rpc, reply, caller: caller.clone() });
        router = router.route(path, post(handle).with_state(upload).fallback(other_method));
    }
    // `read` keeps its own limit, and says what it is.
    Ok(router.layer(DefaultBodyLimit::disable()))
}

async fn other_method() -> Response {
    status::error_response(&Status::unimplemented("Method Not Allowed"))
}

async fn handle(State(upload): State<Arc<Upload>>, request: Request<axum::body::Body>) -> Response {
    match upload.serve(request).await {
        Ok(json) => status::ok_response(json),
        Err(status) => status::upload_error_response(&status),
    }
}

impl Upload {
    async fn serve(&self, request: Request<axum::body::Body>) -> Result<Vec<u8>, Status> {
        let (parts, body) = request.into_parts();
        let mut message = DynamicMessage::new(self.rpc.input());
        bind(&mut message, &parts.uri)?;
        let extensions = parts.extensions.clone();
        let file = read(Request::from_parts(parts, body)).await?;
        set(&mut message, "package.filename", Value::String(file.name));
        set(&mut message, "package.content", Value::Bytes(file.content));
        let request = tonic::Request::from_parts(MetadataMap::new(), extensions, message);
        let reply = self.caller.call(&self.rpc, request, None).await?;
        let answer = reply.get_field_by_name(self.reply);
        let answer = answer.as_deref().and_then(Value::as_message).ok_or_else(status::internal)?;
        body::write(answer).map_err(|error| {
            tracing::error!(rpc = self.rpc.full_name(), %error, "an upload's answer has no JSON form");
            status::internal()
        })
    }
}

/// Sets a field by its path; the RPCs' requests have them all, so there is nothing to refuse.
fn set(message: &mut DynamicMessage, path: &str, value: Value) {
    match path.split_once('.') {
        None => message.set_field_by_name(path, value),
        Some((head, rest)) => {
            if let Some(inner) = message.get_field_by_name_mut(head).and_then(Value::as_message_mut) {
                set(inner, rest, value);
            }
        }
    }
}

/// Takes what the query says. Parameters that the request does not have are ignored, as everywhere.
fn bind(message: &mut DynamicMessage, uri: &Uri) -> Result<(), Status> {
    let query = Query::<HashMap<String, String>>::try_from_uri(uri)
        .map_err(|error| Status::invalid_argument(format!("the query is not understood: {error}")))?;
    for (name, text) in query.0 {
        match name.as_str() {
            "tags" if text.is_empty() => {}
            "tags" => {
                let tags: HashMap<String, String> = serde_json::from_str(&text).map_err(|error| {
                    Status::invalid_argument(format!(
                        "query parameter tags: a JSON object of strings is wanted: {error}"
                    ))
                })?;
                let tags = tags.into_iter().map(|(key, value)| (MapKey::String(key), Value::String(value)));
                set(message, "tags", Value::Map(tags.collect()));
            }
            "pipelineid" | "pipeline_id" => set_if_there(message, "pipeline_id", text),
            "name" | "display_name" | "description" | "namespace" | "code_source_url" => {
                set_if_there(message, &name, text);
            }
            _ => {}
        }
    }
    Ok(())
}

fn set_if_there(message: &mut DynamicMessage, name: &str, text: String) {
    if message.descriptor().get_field_by_name(name).is_some() {
        set(message, name, Value::String(text));
    }
}

/// The file of the form.
async fn read(request: Request<axum::body::Body>) -> Result<File, Status> {
    let bad = |why: &dyn std::fmt::Display| Status::invalid_argument(format!("the upload is not understood: {why}"));
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| bad(&error.body_text()))?;
    while let Some(field) = form.next_field().await.map_err(|error| bad(&error.body_text()))? {
        if field.name() != Some(PART) {
            continue;
        }
        let name = field.file_name().unwrap_or_default().to_owned();
        let content = content(field).await?;
        return Ok(File { name, content });
    }
    Err(Status::invalid_argument(format!("the upload has no file: send it as the multipart part {PART:?}")))
}

async fn content(mut field: Field<'_>) -> Result<Bytes, Status> {
    let mut content = Vec::new();
    let mut size = 0;
    loop {
        let chunk = field.chunk().await.map_err(|error| {
            Status::invalid_argument(format!("the upload ended early or could not be read: {}", error.body_text()))
        })?;
        let Some(chunk) = chunk else { break };
        size += chunk.len();
        if size <= MAX_FILE {
            content.extend_from_slice(&chunk);
        } else if size > MAX_FILE + MAX_DRAIN {
            break;
        } else {
            content = Vec::new();
        }
    }
    if size > MAX_FILE {
        let text = format!("the package is too large: {size} bytes came, and at most {MAX_FILE} (32 MiB) are allowed");
        return Err(Status::invalid_argument(text));
    }
    Ok(content.into())
}
