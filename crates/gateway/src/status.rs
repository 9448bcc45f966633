//! From a gRPC status to an HTTP response.
use axum::{
    Json,
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use prost::Message as _;
use serde::Serialize;
use tonic::{Code, Status};

/// The type of the details that our services send.
const DETAIL_TYPE: &str = "type.googleapis.com/google.rpc.Status";
/// Bytes of a message that go into a header; the body has all of it.
const MAX_CHALLENGE: usize = 256;
/// How the content types of gRPC begin, gRPC-Web among them.
const GRPC: &[u8] = b"application/grpc";
/// How the content types of gRPC-Web begin.
const GRPC_WEB: &[u8] = b"application/grpc-web";

/// Whether a response shows the details that came with the status.
pub(crate) enum Details {
    Decoded,
    Absent,
}

/// The JSON body of an error, of the shape that grpc-gateway v2 gives it.
#[derive(Serialize)]
struct ErrorBody<'a> {
    code: i32,
    message: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<DetailBody>,
}

#[derive(Serialize)]
struct DetailBody {
    #[serde(rename = "@type")]
    type_url: &'static str,
    code: i32,
    message: String,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<RpcAny>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcAny {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// The HTTP status of a gRPC code; the one place for it. The table is grpc-gateway's.
pub fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        // 499, "client closed request", has no name in the `http` crate.
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Internal | Code::Unknown | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The answer to a request that ends before any service: in the form that its caller reads, which the request's content
/// type tells. gRPC and gRPC-Web have their status in the headers and no body, everything else has JSON.
pub fn answer(status: &Status, content_type: Option<&HeaderValue>) -> Response {
    let Some(content_type) = content_type.filter(|_| is_grpc(content_type)) else { return error_response(status) };
    let mut response: Response = status.clone().into_http();
    if content_type.as_bytes().starts_with(GRPC_WEB) {
        response.headers_mut().insert(CONTENT_TYPE, content_type.clone());
    }
    response
}

/// Whether a request of this content type is gRPC or gRPC-Web.
pub fn is_grpc(content_type: Option<&HeaderValue>) -> bool {
    content_type.is_some_and(|value| value.as_bytes().starts_with(GRPC))
}

/// The grpc-gateway JSON error body of a status, with its HTTP status and headers.
pub fn error_response(status: &Status) -> Response {
    error_with(http_status(status.code()), status, Details::Decoded)
}

pub(crate) fn error_with(http: StatusCode, status: &Status, details: Details) -> Response {
    let details = match details {
        Details::Decoded => decode(status.details()),
        Details::Absent => Vec::new(),
    };
    respond(http, status, ErrorBody { code: status.code().into(), message: status.message(), details })
}

/// When to try again what cannot be done now, in seconds (RFC 9110, 10.2.3).
const SOON: &str = "2";

/// A refusal with this body, and with what HTTP wants beside it.
fn respond(http: StatusCode, status: &Status, body: impl Serialize) -> Response {
    let mut response = (http, Json(body)).into_response();
    if http == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge(status.message()));
    }
    // Services say it in their metadata where they know it.
    let known = status.metadata().get("retry-after").and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
    let soon = || (http == StatusCode::SERVICE_UNAVAILABLE).then(|| HeaderValue::from_static(SOON));
    if let Some(when) = known.or_else(soon) {
        response.headers_mut().insert(RETRY_AFTER, when);
    }
    response
}

/// The body of a failed upload: what KFP's upload handlers answer, and what the rest of the API does, in one.
pub(crate) fn upload_error_response(status: &Status) -> Response {
    #[derive(Serialize)]
    struct UploadError<'a> {
        error_message: &'a str,
        error_details: &'a str,
        #[serde(flatten)]
        error: ErrorBody<'a>,
    }
    let message = status.message();
    let error = ErrorBody { code: status.code().into(), message, details: decode(status.details()) };
    let body = UploadError { error_message: message, error_details: message, error };
    respond(http_status(status.code()), status, body)
}

/// The JSON error body of a status, for what is not a response of its own.
pub(crate) fn error_json(status: &Status) -> Vec<u8> {
    let details = decode(status.details());
    let body = ErrorBody { code: status.code().into(), message: status.message(), details };
    // A body is plain data: it always has a JSON form.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// A successful response with `json` as its body.
pub(crate) fn ok_response(json: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(json));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // grpc-gateway passes the inner call's headers on under this prefix, and this one is always among them.
    response.headers_mut().insert("grpc-metadata-content-type", HeaderValue::from_static("application/grpc"));
    response
}

/// What a client hears of a failure of the gateway itself; the caller has logged the cause.
pub(crate) fn internal() -> Status {
    Status::internal("Internal Server Error; the server's log has the cause under this request's x-request-id")
}

/// The details that are `google.rpc.Status`. Others, and bytes that are no status at all, are left out: an error must
/// reach the client even when its decoration is broken.
fn decode(bytes: &[u8]) -> Vec<DetailBody> {
    let outer = RpcStatus::decode(bytes).unwrap_or_default();
    let ours = outer.details.iter().filter(|any| any.type_url == DETAIL_TYPE);
    ours.filter_map(|any| RpcStatus::decode(any.value.as_slice()).ok())
        .map(|detail| DetailBody { type_url: DETAIL_TYPE, code: detail.code, message: detail.message })
        .collect()
}

/// The message as a header value. Whatever may not stand in one (line breaks above all) becomes a space.
fn challenge(message: &str) -> HeaderValue {
    let text: String =
        message.chars().take(MAX_CHALLENGE).map(|c| if c.is_ascii_graphic() { c } else { ' ' }).collect();
    HeaderValue::from_str(text.trim()).unwrap_or_else(|_| HeaderValue::from_static("Unauthenticated"))
}
