//! Holds requests to the limits, once it is known whose they are.
use super::refusal::Form;
use crate::limits::{Limits, Place};
use access::Caller;
use axum::{
    body::{Body, HttpBody as _},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use domain::{Code, Error, Result};
use futures::{StreamExt as _, future, stream};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// How a request stands.
#[derive(Default)]
enum Standing {
    /// It is still coming in, or waits for its place.
    #[default]
    Waiting,
    WorkedOn {
        /// Free again when this is dropped.
        _place: Place,
    },
    Refused(Error),
    /// It is answered, and needs no place any more.
    Answered,
}

#[derive(Default)]
struct Turn {
    standing: Mutex<Standing>,
    /// All of the request is there.
    complete: Notify,
}

/// Counts a request of a known user, and has it worked on when it is its turn: once its body is there, so that a slow
/// client keeps nobody waiting. An answer that is a stream holds its place until it begins.
pub(super) async fn limit(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let form = Form::of(&request);
    let user: Arc<str> = match request.extensions().get::<Caller>() {
        Some(Caller::Known(identity)) => identity.user().into(),
        _ => "".into(),
    };
    if !user.is_empty()
        && let Err(refusal) = limits.request(&user).await
    {
        return form.refuse(refusal);
    }
    let given = given(&form, &request);
    let turn = Arc::new(Turn::default());
    let taking = turn.clone().take(limits.clone(), user);
    let has_no_body = request.method().is_safe() || request.body().is_end_stream();
    let answer = async {
        if !has_no_body {
            return next.run(request.map(|body| then(body, taking))).await;
        }
        match taking.await {
            Ok(()) => next.run(request).await,
            Err(()) => Response::default(),
        }
    };
    let response = tokio::select! {
        response = answer => response,
        refusal = turn.late(&limits, given) => form.refuse(refusal),
    };
    match turn.end() {
        Standing::Refused(refusal) => form.refuse(refusal),
        _ => response,
    }
}

/// How much time the client gives a call over gRPC; the gateway reads it by itself. A value that is none is ignored, as
/// other servers do.
fn given(form: &Form, request: &Request) -> Option<Duration> {
    if form.is_grpc() { gateway::grpc_timeout(request.headers()).ok().flatten() } else { None }
}

/// A body that ends when something is done after it, and fails if that does.
fn then(body: Body, after: impl Future<Output = Result<(), ()>> + Send + 'static) -> Body {
    let failed = |done: Result<(), ()>| done.err().map(|()| Err(axum::Error::new("the request was refused")));
    let end = stream::once(after).filter_map(move |done| future::ready(failed(done)));
    Body::from_stream(body.into_data_stream().chain(end))
}

impl Turn {
    /// Waits for a place, and keeps it while it is needed.
    async fn take(self: Arc<Self>, limits: Arc<Limits>, user: Arc<str>) -> Result<(), ()> {
        self.complete.notify_one();
        let taken = limits.place(&user).await;
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*standing, Standing::Answered) {
            return Ok(());
        }
        match taken {
            Ok(place) => {
                *standing = Standing::WorkedOn { _place: place };
                Ok(())
            }
            Err(refusal) => {
                *standing = Standing::Refused(refusal);
                Err(())
            }
        }
    }

    /// Waits until it has taken too long.
    async fn late(&self, limits: &Limits, given: Option<Duration>) -> Error {
        let too_long = async {
            let Some(longest) = limits.request_timeout() else { return future::pending().await };
            self.complete.notified().await;
            tokio::time::sleep(longest).await;
            limits.late(longest)
        };
        let given_up = async {
            let Some(given) = given else { return future::pending().await };
            tokio::time::sleep(given).await;
            Error::new(Code::DeadlineExceeded, "the call took longer than its grpc-timeout")
        };
        tokio::select! {
            error = too_long => error,
            error = given_up => error,
        }
    }

    /// Gives the place back, and says how the request stood.
    fn end(&self) -> Standing {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *standing, Standing::Answered)
    }
}

#[cfg(test)]
mod tests;
