//! Finds out who is calling, once for each request, and leaves it in the request's extensions.
use super::{Names, refusal::Form, request::Unlogged, restrain::restrain};
use crate::audit::AuditTrail;
use access::{Caller, Proof};
use authz::{Authn, Peer};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use domain::{Code, Error};
use http::StatusCode;
use std::sync::Arc;

/// How callers become known.
#[derive(Clone)]
pub(crate) enum Authenticate {
    /// Nobody logs in; the gate knows its one user.
    SingleUser(Names),
    MultiUser(Arc<Authn>),
}

/// Puts a `Caller` into the extensions. Whoever comes without one further in is nobody.
pub(crate) async fn authenticate(
    State((authenticate, trail)): State<(Authenticate, Arc<AuditTrail>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let form = Form::of(&request);
    let caller = match &authenticate {
        Authenticate::SingleUser(_) => Caller::Nobody,
        Authenticate::MultiUser(authn) => {
            let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
            match authn.caller(request.headers(), &peer).await {
                Ok(caller) => caller,
                Err(error) => return at_a_loss(&trail, &form, error),
            }
        }
    };
    tracing::Span::current().record("user", user(&caller));
    let stranger = match &authenticate {
        Authenticate::SingleUser(_) => None,
        Authenticate::MultiUser(_) => caller.identity().err(),
    };
    if is_forged(&caller, &request) {
        let text = "the request comes from a page of another web site, which does not speak for its visitors here";
        return form.refuse(Error::new(Code::PermissionDenied, text));
    }
    request.extensions_mut().insert(caller);
    let Some(refusal) = stranger else { return next.run(request).await };
    let (path, peer) = (request.uri().path().to_owned(), address(&request));
    let why = refusal.message().to_owned();
    let mut response = match restrain(request).await {
        None => form.refuse(refusal),
        Some((request, exceeded)) => {
            let response = next.run(request).await;
            // Whatever the service made of a body that broke off: to log in is what helps.
            if exceeded.get() { form.refuse(refusal) } else { response }
        }
    };
    match trail.stranger() {
        Some(unwritten) if is_refused(&response) => trail.turned_away(&path, &peer, &why, unwritten),
        Some(unwritten) => trail.put_back(unwritten),
        None => drop(response.extensions_mut().insert(Unlogged)),
    }
    response
}

/// Who calls cannot be found out at the moment. Whoever it is: as little is written of it as of strangers.
fn at_a_loss(trail: &AuditTrail, form: &Form, error: Error) -> Response {
    match trail.stranger() {
        Some(unwritten) => {
            trail.put_back(unwritten);
            form.refuse(error)
        }
        None => {
            // Without its cause, which would be written.
            let mut response = form.refuse(Error::new(error.code(), error.message()));
            response.extensions_mut().insert(Unlogged);
            response
        }
    }
}

/// Whether a browser says that a page of another site makes the request, and a proxy that somebody it trusts does: the
/// proxy goes by a cookie, which the browser sends along whoever asks (Fetch Metadata, `Sec-Fetch-Site`). What is only
/// read stays in the browser, unless the configuration lets that site read it.
fn is_forged(caller: &Caller, request: &Request) -> bool {
    let by_proxy = matches!(caller, Caller::Known(identity) if *identity.proof() == Proof::Header);
    let foreign = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    by_proxy && foreign && !request.method().is_safe()
}

fn address(request: &Request) -> String {
    let peer = request.extensions().get::<Peer>();
    peer.and_then(|peer| peer.address).map(|address| address.to_string()).unwrap_or_default()
}

/// Whether the answer is that the caller is not known, in the form of REST or of gRPC.
fn is_refused(response: &Response) -> bool {
    let grpc = response.headers().get("grpc-status").map(|status| status.as_bytes());
    response.status() == StatusCode::UNAUTHORIZED || grpc == Some(b"16")
}

fn user(caller: &Caller) -> &str {
    match caller {
        Caller::Known(identity) => identity.user(),
        Caller::Refused(_) | Caller::Nobody => "",
    }
}

#[cfg(test)]
mod tests;
