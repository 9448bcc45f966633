//! One application for every listener: gRPC, gRPC-Web, REST and what goes around them.
mod authn;
mod cors;
mod healthz;
mod limits;
mod refusal;
mod request;
mod restrain;
mod rpcs;
mod same_site;

pub(crate) use authn::Authenticate;
pub(crate) use healthz::Healthz;
pub(crate) use same_site::Names;

use crate::{audit::AuditTrail, config::Cors, limits::Limits, metrics::Metrics};
use anyhow::Context as _;
use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
};
use gateway::Options;
use same_site::Site;
use std::sync::Arc;

/// What goes around the services.
pub(crate) struct Around {
    pub(crate) authenticate: Authenticate,
    pub(crate) trail: Arc<AuditTrail>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) health: Healthz,
    pub(crate) metrics: Arc<Metrics>,
}

/// The whole API. Every request gets an id, is authenticated once, and goes on to the services, over gRPC or through
/// the gateway, which calls the same services in process.
///
/// # Errors
/// If the descriptors do not fit the gateway, which is a bug of the build, or `cors` has what is no header value.
pub(crate) fn app(context: &server::Context, around: Around, cors: &Cors) -> anyhow::Result<Router> {
    let Around { authenticate, trail, limits, health, metrics } = around;
    let routes = server::routes(context).map_err(|error| anyhow::anyhow!("{error}")).context("the gRPC services")?;
    let measured = routes.into_axum_router().layer(from_fn_with_state(metrics.clone(), rpcs::measure));
    let routes = tonic::service::Routes::from(measured);
    let options = Options { max_message: context.settings.max_message };
    let gateway = gateway::router(routes.clone(), api::DESCRIPTORS, options).context("the REST routes")?;
    let uploads = gateway::uploads(routes.clone(), api::DESCRIPTORS, Options { max_message: server::MAX_MESSAGE })
        .context("the upload routes")?;
    let files =
        gateway::files(routes.clone(), api::DESCRIPTORS, options).context("the routes of logs and artifacts")?;
    let openapi = gateway::openapi::router(api::DESCRIPTORS).context("the OpenAPI documents")?;
    let grpc = routes.prepare().into_axum_router().layer(tonic_web::GrpcWebLayer::new());
    let app = grpc
        .merge(uploads)
        .merge(files)
        .merge(openapi)
        .merge(healthz::routes(health))
        .fallback_service(gateway.layer(from_fn(refusal::unknown_rpc)))
        .layer(from_fn_with_state(limits, limits::limit))
        .layer(from_fn_with_state((authenticate.clone(), trail), authn::authenticate));
    let app = match authenticate {
        Authenticate::SingleUser(names) => app.layer(from_fn_with_state(Site::new(names, cors), same_site::same_site)),
        Authenticate::MultiUser(_) => app,
    };
    let app = app.layer(from_fn(refusal::catch_panics));
    // Outside of what refuses, so that a preflight needs no login, and pages can read refusals.
    let app = match cors::layer(cors)? {
        Some(cors) => app.layer(cors),
        None => app,
    };
    Ok(app.layer(from_fn_with_state(metrics, request::observe)))
}
