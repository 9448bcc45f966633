//! Finds out who is calling, once for each request, and leaves it in the request's extensions.
use super::{Names, refusal::Form, restrain::restrain};
use access::Caller;
use authz::{Authn, Peer};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
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
    State(authenticate): State<Authenticate>,
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
                Err(error) => return form.refuse(error),
            }
        }
    };
    tracing::Span::current().record("user", user(&caller));
    let stranger = match &authenticate {
        Authenticate::SingleUser(_) => None,
        Authenticate::MultiUser(_) => caller.identity().err(),
    };
    request.extensions_mut().insert(caller);
    let Some(refusal) = stranger else { return next.run(request).await };
    let Some((request, exceeded)) = restrain(request).await else { return form.refuse(refusal) };
    let response = next.run(request).await;
    // Whatever the service made of a body that broke off: to log in is what helps.
    if exceeded.get() { form.refuse(refusal) } else { response }
}

fn user(caller: &Caller) -> &str {
    match caller {
        Caller::Known(identity) => identity.user(),
        Caller::Refused(_) | Caller::Nobody => "",
    }
}

#[cfg(test)]
mod tests;
