//! How an error goes onto the wire: the one place where a `Code` becomes a gRPC status.
use domain::{Code, Error};
use prost::Message as _;
use std::error::Error as _;
use tonic::Status;

/// The gRPC status of an error, with a `google.rpc.Status` in its details as KFP sends it. The cause of an error
/// that is ours goes to the log, here and nowhere else.
pub fn from_error(error: Error) -> Status {
    let code = grpc_code(error.code());
    if let Some(source) = error.source() {
        tracing::error!(code = ?error.code(), error = chain(source), "request failed: {}", error.message());
    }
    Status::with_details(code, error.message(), details(code, error.message()))
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
fn details(code: tonic::Code, message: &str) -> bytes::Bytes {
    let inner = crate::google::rpc::Status { code: code as i32, message: message.to_owned(), details: Vec::new() };
    let any =
        prost_types::Any { type_url: "type.googleapis.com/google.rpc.Status".to_owned(), value: inner.encode_to_vec() };
    let outer = crate::google::rpc::Status { code: code as i32, message: message.to_owned(), details: vec![any] };
    outer.encode_to_vec().into()
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
        Code::Unimplemented => tonic::Code::Unimplemented,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::Internal => tonic::Code::Internal,
    }
}
