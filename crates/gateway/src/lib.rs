//! HTTP/JSON for gRPC services, as grpc-gateway v2 speaks it.
//!
//! The descriptors say everything: which RPC a path means (`google.api.http`), which fields path, query and body fill,
//! and how messages look as JSON. A call becomes the same gRPC call in process, so it passes the same layers, and what
//! an outer layer put into the request's extensions (who is calling) goes along. Headers do not: nothing behind it
//! reads any. The gateway itself decides nothing.
mod body;
mod call;
mod error;
mod fields;
mod files;
mod lines;
pub mod openapi;
mod query;
mod request;
mod routes;
mod status;
mod strict;
mod tags;
mod timeout;
mod upload;

use std::sync::Arc;

use axum::{body::Body, extract::State, response::Response};
use bytes::Bytes;
use http::{Request, request::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage as _};
use tonic::{Status, metadata::MetadataMap, service::Routes};

use crate::{
    call::Caller,
    routes::{BodyRule, Lookup, Route, Table},
    status::{Details, error_with},
};
pub use crate::{
    error::Error,
    files::files,
    status::{answer, error_response, http_status, is_grpc},
    timeout::read as grpc_timeout,
    upload::uploads,
};

/// What the gateway lets through.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes that a request body, and a message of the inner call in either direction, may have.
    pub max_message: usize,
}

/// Bytes of a body that are read where the route takes none, as the reference implementation's HTTP server does.
const MOST_DROPPED: usize = 256 << 10;

struct Gateway {
    table: Table,
    caller: Caller,
    max_message: usize,
}

/// HTTP/JSON for every RPC of `descriptors` that has a `google.api.http` rule.
///
/// `descriptors` is an encoded `FileDescriptorSet` that still has the options; `routes` are the services, which are
/// called in process. The router has one fallback handler and nothing else, to be mounted as the fallback of another.
///
/// # Errors
/// When the descriptors are unreadable, or have a rule that cannot be served as it stands.
pub fn router(routes: Routes, descriptors: &[u8], options: Options) -> Result<axum::Router, Error> {
    let gateway = Gateway {
        table: Table::new(descriptors)?,
        caller: Caller::new(routes, options.max_message),
        max_message: options.max_message,
    };
    Ok(axum::Router::new().fallback(handle).with_state(Arc::new(gateway)))
}

async fn handle(State(gateway): State<Arc<Gateway>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let (route, captures) = match gateway.table.find(&parts.method, parts.uri.path()) {
        Lookup::Found(route, captures) => (route, captures),
        Lookup::OtherMethod => return error_response(&Status::unimplemented("Method Not Allowed")),
        Lookup::Unknown => return error_response(&Status::not_found("Not Found")),
    };
    let body = match read(route, body, gateway.max_message).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match gateway.serve(route, &captures, &parts, &body).await {
        Ok(answer) => answer,
        Err(status) => error_response(&status),
    }
}

/// The request's body, if the route takes one. It never holds more than `limit` bytes.
async fn read(route: &Route, body: Body, limit: usize) -> Result<Bytes, Response> {
    if matches!(route.body, BodyRule::None) {
        // What nobody reads ends the connection after the answer, and only if it arrives later than the answer is
        // made: that tells how long a decision took.
        let _ = Limited::new(body, limit.min(MOST_DROPPED)).collect().await;
        return Ok(Bytes::new());
    }
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        // By the general table this code is 429, which tells clients to try again; for a body that is no help.
        Err(error) if error.is::<LengthLimitError>() => Err(error_with(
            http::StatusCode::PAYLOAD_TOO_LARGE,
            &Status::resource_exhausted(format!("the request body is larger than {limit} bytes")),
            Details::Absent,
        )),
        Err(_) => Err(error_response(&Status::invalid_argument("the request body ended early or could not be read"))),
    }
}

/// A message of a reply as JSON.
pub(crate) fn json(message: &DynamicMessage) -> Result<Vec<u8>, Status> {
    body::write(message).map_err(|error| {
        tracing::error!(message = message.descriptor().full_name(), %error, "a response has no JSON form");
        status::internal()
    })
}

/// The JSON that the gateway gives for a message, for who has the message without a call.
///
/// # Errors
/// [`Error::Rule`] if `descriptors` lack the message, `Internal` as a text if it has no JSON form.
pub fn json_of(descriptors: &[u8], name: &str, message: &impl prost::Message) -> Result<Vec<u8>, Error> {
    let lacking = |reason: String| Error::Rule { rpc: name.to_owned(), reason };
    let descriptor = DescriptorPool::decode(descriptors)?.get_message_by_name(name);
    let descriptor = descriptor.ok_or_else(|| lacking("the descriptors lack it".to_owned()))?;
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice());
    let message = message.map_err(|error| lacking(error.to_string()))?;
    json(&message).map_err(|status| lacking(status.message().to_owned()))
}

impl Gateway {
    async fn serve(&self, route: &Route, captures: &[&str], parts: &Parts, body: &[u8]) -> Result<Response, Status> {
        let deadline = timeout::read(&parts.headers)?;
        let mut message = request::message(route, captures, parts.uri.query(), body)?;
        tags::clear(&mut message, &parts.headers, body);
        let request = tonic::Request::from_parts(MetadataMap::new(), parts.extensions.clone(), message);
        if route.rpc.is_server_streaming() {
            return Ok(lines::response(self.caller.stream(&route.rpc, request).await?));
        }
        let reply = self.caller.call(&route.rpc, request, deadline).await?;
        json(&reply).map(status::ok_response)
    }
}
