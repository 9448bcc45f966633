//! One application for every listener: gRPC, gRPC-Web, REST and what goes around them.
mod authn;
mod healthz;
mod request;

pub(crate) use authn::Authenticate;
pub(crate) use healthz::Healthz;

use crate::metrics::Metrics;
use anyhow::Context as _;
use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use gateway::Options;
use http::header::CONTENT_TYPE;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

/// The whole API. Every request gets an id, is authenticated once, and goes on to the services, over gRPC or through
/// the gateway, which calls the same services in process.
///
/// # Errors
/// If the descriptors do not fit the gateway, which is a bug of the build.
pub(crate) fn app(
    context: &server::Context,
    authenticate: Authenticate,
    healthz: Healthz,
    metrics: Arc<Metrics>,
) -> anyhow::Result<Router> {
    let routes = server::routes(context).map_err(|error| anyhow::anyhow!("{error}")).context("the gRPC services")?;
    let options = Options { max_message: server::MAX_MESSAGE, forward_headers: Vec::new() };
    let gateway = gateway::router(routes.clone(), api::DESCRIPTORS, options.clone()).context("the REST routes")?;
    let uploads = gateway::uploads(routes.clone(), api::DESCRIPTORS, options).context("the upload routes")?;
    let grpc = routes.prepare().into_axum_router().layer(tonic_web::GrpcWebLayer::new());
    Ok(grpc
        .merge(uploads)
        .merge(healthz::routes(healthz))
        .fallback_service(gateway.layer(from_fn(unknown_rpc)))
        .layer(from_fn_with_state(authenticate, authn::authenticate))
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(metrics, request::observe)))
}

/// The answer of a gRPC server to a method that it does not have: a status in the headers, and no body.
fn unimplemented() -> Response {
    let code = (tonic::Code::Unimplemented as i32).to_string();
    let headers =
        [("content-type", "application/grpc"), ("grpc-status", &*code), ("grpc-message", "there is no such method")];
    headers.into_response()
}

/// A gRPC call of a service that does not exist gets a gRPC answer.
async fn unknown_rpc(request: Request, next: Next) -> Response {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("application/grpc")) {
        return unimplemented();
    }
    next.run(request).await.into_response()
}
