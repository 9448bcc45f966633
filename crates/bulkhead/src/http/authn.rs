//! Finds out who is calling, once for each request, and leaves it in the request's extensions.
use access::Caller;
use authz::Authn;
use axum::{
    body::{Body, HttpBody},
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use http_body_util::{BodyExt, Limited};
use std::{net::SocketAddr, sync::Arc};

/// The largest body that is taken from somebody who has not logged in, in bytes.
const MAX_ANONYMOUS: u64 = 64 << 10;
/// The most that is read and dropped of a larger one, in bytes.
const MAX_DRAIN: u64 = 64 << 20;

/// How callers become known.
#[derive(Clone)]
pub(crate) enum Authenticate {
    /// Nobody logs in; the gate knows its one user.
    SingleUser,
    MultiUser(Arc<Authn>),
}

/// Puts a `Caller` into the extensions. Whoever comes without one further in is nobody.
pub(crate) async fn authenticate(
    State(authenticate): State<Authenticate>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match &authenticate {
        Authenticate::SingleUser => Caller::Nobody,
        Authenticate::MultiUser(authn) => {
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
            match authn.caller(request.headers(), peer).await {
                Ok(caller) => caller,
                Err(error) => {
                    tracing::error!(%error, "a caller could not be authenticated");
                    return gateway::error_response(&api::status::from_error(error));
                }
            }
        }
    };
    tracing::Span::current().record("user", user(&caller));
    if let (Authenticate::MultiUser(_), Err(error)) = (&authenticate, caller.identity()) {
        match restrain(request).await {
            Some(restrained) => request = restrained,
            None => return gateway::error_response(&api::status::from_error(error)),
        }
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn user(caller: &Caller) -> &str {
    match caller {
        Caller::Known(identity) => identity.user(),
        Caller::Refused(_) | Caller::Nobody => "",
    }
}

/// What is left of a request from nobody in particular: public RPCs have small bodies, and nothing else is to take
/// memory before it is refused. `None` if it announces more, which is then read and dropped, so that the client gets
/// to read the refusal.
async fn restrain(request: Request) -> Option<Request> {
    let announced = request.body().size_hint().lower();
    if announced <= MAX_ANONYMOUS {
        let limit = usize::try_from(MAX_ANONYMOUS).unwrap_or(usize::MAX);
        return Some(request.map(|body| Body::new(Limited::new(body, limit))));
    }
    let (mut body, mut read) = (request.into_body(), 0);
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
        if read > MAX_DRAIN {
            break;
        }
    }
    None
}
