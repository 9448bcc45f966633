//! How an error goes onto the wire: the one place where a `Code` becomes a gRPC status.
use domain::{Code, Error};
use prost::Message as _;
use std::{error::Error as _, time::Duration};
use tonic::{Status, metadata::MetadataMap};

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<prost_types::Duration>,
}

/// The gRPC status of an error, with a `google.rpc.Status` in its details as KFP sends it, and when to try again, where
/// that is known, as `google.rpc.RetryInfo` and in the metadata `retry-after`. The cause of an error that is ours goes
/// to the log, here and nowhere else.
pub fn from_error(error: Error) -> Status {
    let code = grpc_code(error.code());
    if let Some(source) = error.source() {
        tracing::error!(code = ?error.code(), error = chain(source), "request failed: {}", error.message());
    }
    let details = details(code, error.message(), error.retry_after());
    Status::with_details_and_metadata(code, error.message(), details, metadata(error.retry_after()))
}

/// What an object's message says of a failure that it has met.
pub fn of_object(code: Code, message: &str) -> crate::google::rpc::Status {
    crate::google::rpc::Status { code: grpc_code(code) as i32, message: message.to_owned(), details: Vec::new() }
}

/// An error and its causes in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// The `grpc-status-details-bin` that goes with a code and a text.
fn details(code: tonic::Code, message: &str, retry_after: Option<Duration>) -> bytes::Bytes {
    let inner = crate::google::rpc::Status { code: code as i32, message: message.to_owned(), details: Vec::new() };
    let mut all = vec![any("google.rpc.Status", &inner)];
    if let Some(Ok(delay)) = retry_after.map(prost_types::Duration::try_from) {
        all.push(any("google.rpc.RetryInfo", &RetryInfo { retry_delay: Some(delay) }));
    }
    let outer = crate::google::rpc::Status { code: code as i32, message: message.to_owned(), details: all };
    outer.encode_to_vec().into()
}

fn any(name: &str, message: &impl prost::Message) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/{name}"), value: message.encode_to_vec() }
}

/// Whole seconds, as in HTTP's header of that name, so that whoever obeys does not come too early.
fn metadata(retry_after: Option<Duration>) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    if let Some(wait) = retry_after {
        metadata.insert("retry-after", (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1).into());
    }
    metadata
}

fn grpc_code(code: Code) -> tonic::Code {
    match code {
        Code::InvalidArgument => tonic::Code::InvalidArgument,
        Code::FailedPrecondition => tonic::Code::FailedPrecondition,
        Code::NotFound => tonic::Code::NotFound,
        Code::AlreadyExists => tonic::Code::AlreadyExists,
        Code::Aborted => tonic::Code::Aborted,
        Code::PermissionDenied => tonic::Code::PermissionDenied,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
        Code::ResourceExhausted => tonic::Code::ResourceExhausted,
        Code::DeadlineExceeded => tonic::Code::DeadlineExceeded,
        Code::Unimplemented => tonic::Code::Unimplemented,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::Internal => tonic::Code::Internal,
    }
}
