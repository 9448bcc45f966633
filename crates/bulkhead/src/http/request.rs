//! Ids, log lines and counters of requests.
use super::rpcs::{self, Observed};
use crate::{
    audit::with_request,
    metrics::{Metrics, UNKNOWN},
    telemetry::{SPANS, of_client},
};
use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use domain::clipped;
use http::{HeaderValue, StatusCode};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tower_http::timeout::TimeoutBody;
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

const REQUEST_ID: &str = "x-request-id";
/// Marks the answer to somebody who is nobody, of which no line is written since there are too many like it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unlogged;

/// The steps of time in which it is answered that something is not there.
const STEP: Duration = Duration::from_millis(5);
/// How long a client may pause while it sends a body.
const IDLE: Duration = Duration::from_secs(60);
/// The longest id that a client may choose.
const MAX_ID: usize = 64;

/// Gives the request an id, which comes back to the client and stands in every log line about it, and writes one line
/// when it is answered. The query stays out of the log: it can carry what users filter by.
pub(crate) async fn observe(State(metrics): State<Arc<Metrics>>, mut request: Request, next: Next) -> Response {
    let id = match request.headers().get(REQUEST_ID).filter(|id| is_id(id)) {
        Some(id) => id.clone(),
        None => fresh(),
    };
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.to_string()).unwrap_or_default();
    let (method, path) = (request.method().clone(), clipped(request.uri().path()).to_owned());
    let mut request = request.map(|body| Body::new(TimeoutBody::new(IDLE, body)));
    let text = id.to_str().unwrap_or_default();
    let traced = tracing::trace_span!(
        target: SPANS,
        "request",
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        rpc.method = tracing::field::Empty,
        rpc.code = tracing::field::Empty,
        request.id = text,
    );
    if !traced.is_disabled() {
        // The log tells nothing of a trace that cannot be continued: the client may send anything.
        let _ = traced.set_parent(of_client(request.headers()));
    }
    let span = tracing::info_span!(parent: &traced, "request", request.id = text, user = tracing::field::Empty);
    let observed = Observed::new(traced);
    request.extensions_mut().insert(observed.clone());
    let started = Instant::now();
    // The span of the trace is entered too: those within look for theirs among the spans that are.
    let next = next.run(request).instrument(span.clone()).instrument(observed.span.clone());
    let way = with_request(text, observed.span.clone(), next);
    let mut response = way.await;
    if is_not_found(&response) {
        // To look at what is there and hidden takes some microseconds longer than to find nothing, and whoever asks
        // often enough could tell. So neither is told before the step of time that it falls into has gone by.
        let steps = started.elapsed().as_micros() / STEP.as_micros() + 1;
        let until = started + STEP * u32::try_from(steps).unwrap_or(u32::MAX);
        tokio::time::sleep_until(until.into()).await;
    }
    let (status, elapsed) = (response.status(), started.elapsed());
    metrics.requests.with_label_values(&[status.as_str()]).inc();
    metrics.request_seconds.observe(elapsed.as_secs_f64());
    if !observed.is_counted() {
        // It was answered before it became a call.
        let code = rpcs::code(response.headers()).unwrap_or_else(|| rpcs::of_http(status));
        let rpc = metrics.rpcs.known(&path).map_or(UNKNOWN, |(rpc, _)| rpc);
        metrics.rpcs.ended(rpc, code, elapsed.as_secs_f64());
        observed.span.record("rpc.method", rpc);
        rpcs::record(&observed.span, code);
    }
    let grpc = response.headers().get("grpc-status").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if response.extensions().get::<Unlogged>().is_none() {
        span.in_scope(|| {
            tracing::info!(peer, status = status.as_u16(), grpc.status = grpc, duration_ms, "{method} {path} answered");
        });
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Whether the answer is that something is not there, in the form of REST or of gRPC.
fn is_not_found(response: &Response) -> bool {
    let grpc = response.headers().get("grpc-status").map(|status| status.as_bytes());
    response.status() == StatusCode::NOT_FOUND || grpc == Some(b"5")
}

fn is_id(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    !id.is_empty() && id.len() <= MAX_ID && id.as_bytes().iter().all(plain)
}

fn fresh() -> HeaderValue {
    let id = uuid::Uuid::new_v4().to_string();
    HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}
