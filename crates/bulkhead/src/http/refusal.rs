//! Answers to requests that end before any service, each in the form that its caller reads.
use axum::{extract::Request, middleware::Next, response::Response};
use domain::Error;
use futures::FutureExt as _;
use http::{HeaderValue, header::CONTENT_TYPE};
use std::{any::Any, panic::AssertUnwindSafe};

/// What of a request decides about the form of its refusal: its content type.
#[derive(Clone, Debug)]
pub(super) struct Form(Option<HeaderValue>);

impl Form {
    pub(super) fn of(request: &Request) -> Self {
        Self(request.headers().get(CONTENT_TYPE).cloned())
    }

    pub(super) fn refuse(&self, error: Error) -> Response {
        gateway::answer(&api::status::from_error(error), self.0.as_ref())
    }

    pub(super) fn is_grpc(&self) -> bool {
        gateway::is_grpc(self.0.as_ref())
    }
}

/// A gRPC call of a service that does not exist gets a gRPC answer.
pub(super) async fn unknown_rpc(request: Request, next: Next) -> Response {
    let form = Form::of(&request);
    if form.is_grpc() {
        return form.refuse(Error::unimplemented("there is no such method"));
    }
    next.run(request).await
}

/// A panic ends its own request only, which gets an answer. Nothing of the request outlives it, so nothing half done
/// is seen afterwards.
pub(super) async fn catch_panics(request: Request, next: Next) -> Response {
    let form = Form::of(&request);
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => form.refuse(Error::internal(format!("a request panicked: {}", text(&*panic)))),
    }
}

/// What the panic said.
fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a text")
}

#[cfg(test)]
mod tests;
