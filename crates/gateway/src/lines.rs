//! Replies that are streams, as grpc-gateway writes them: a line of JSON for each message, `{"result": …}`, and where it
//! breaks off one with `error` instead, which has what the body of every other error has.
use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use prost_reflect::DynamicMessage;
use std::convert::Infallible;
use tonic::{Status, Streaming};

use crate::{json, status};

/// The response to a call that was answered with a stream. It ends after the first error.
pub(crate) fn response(messages: Streaming<DynamicMessage>) -> Response {
    let lines = stream::unfold(Some(messages), |messages| async {
        let mut messages = messages?;
        let (line, left) = match messages.message().await.and_then(|message| message.as_ref().map(json).transpose()) {
            Ok(None) => return None,
            Ok(Some(json)) => (wrapped("result", &json), Some(messages)),
            Err(refusal) => (wrapped("error", &error(&refusal)), None),
        };
        Some((Ok::<_, Infallible>(line), left))
    });
    let headers =
        [(CONTENT_TYPE, "application/json"), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (CACHE_CONTROL, "no-cache, private")];
    (headers, Body::from_stream(lines.boxed())).into_response()
}

fn wrapped(key: &str, json: &[u8]) -> Bytes {
    let mut line = format!("{{\"{key}\":").into_bytes();
    line.extend_from_slice(json);
    line.extend_from_slice(b"}\n");
    line.into()
}

fn error(refusal: &Status) -> Vec<u8> {
    tracing::info!(code = ?refusal.code(), reason = refusal.message(), "a stream was cut off");
    status::error_json(refusal)
}
