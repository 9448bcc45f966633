//! Finds out who is calling, once for each request, and leaves it in the request's extensions.
use access::{Caller, Identity};
use authz::Authn;
use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use std::{net::SocketAddr, sync::Arc};

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
    let caller = match authenticate {
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
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn user(caller: &Caller) -> &str {
    match caller {
        Caller::Known(identity) => Identity::user(identity),
        Caller::Refused(_) | Caller::Nobody => "",
    }
}
