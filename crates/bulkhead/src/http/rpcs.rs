//! Counts calls where gRPC and REST have become one, and says in the request's span which RPC it is.
use crate::metrics::{Metrics, UNKNOWN};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, StatusCode};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Instant,
};
use tracing::Span;

/// What a call ends with that whoever made it did not wait for.
const LEFT: &str = "CANCELLED";

/// The codes of gRPC by their number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Of a request that may become a call: whether it did, and its span.
#[derive(Clone)]
pub(super) struct Observed {
    pub(super) span: Span,
    counted: Arc<AtomicBool>,
}

impl Observed {
    pub(super) fn new(span: Span) -> Self {
        Self { span, counted: Arc::default() }
    }

    pub(super) fn is_counted(&self) -> bool {
        self.counted.load(Ordering::Relaxed)
    }
}

/// The name of a code of gRPC.
fn name(code: &[u8]) -> &'static str {
    let number = std::str::from_utf8(code).ok().and_then(|text| text.parse::<usize>().ok());
    number.and_then(|number| CODES.get(number)).copied().unwrap_or("UNKNOWN")
}

/// The code in the headers or the trailers of an answer.
pub(super) fn code(headers: &HeaderMap) -> Option<&'static str> {
    headers.get("grpc-status").map(|status| name(status.as_bytes()))
}

/// The code that says what a status of HTTP does.
pub(super) fn of_http(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..400 => "OK",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        413 | 429 => "RESOURCE_EXHAUSTED",
        400..=499 => "INVALID_ARGUMENT",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}

/// Counts a call, which ends when its answer does.
pub(super) async fn measure(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let (rpc, streams) = metrics.rpcs.known(path).unwrap_or((UNKNOWN, false));
    let observed = request.extensions().get::<Observed>().cloned();
    let span = observed.as_ref().map_or_else(Span::none, |observed| observed.span.clone());
    if rpc != UNKNOWN {
        span.record("rpc.method", rpc);
    }
    if let Some(observed) = observed {
        observed.counted.store(true, Ordering::Relaxed);
    }
    metrics.rpcs.in_flight.inc();
    let gauge = streams.then(|| &metrics.rpcs.streams);
    gauge.inspect(|streams| streams.inc());
    let rpc = rpc.to_owned();
    let mut call = Call { metrics: metrics.clone(), rpc, streams, span, began: Instant::now(), code: LEFT };
    let response = next.run(request).await;
    if let Some(code) = code(response.headers()) {
        call.code = code;
    }
    response.map(|body| Body::new(Counted { body, call }))
}

/// A call under way. It has ended when this is dropped.
struct Call {
    metrics: Arc<Metrics>,
    rpc: String,
    streams: bool,
    span: Span,
    began: Instant,
    code: &'static str,
}

impl Drop for Call {
    fn drop(&mut self) {
        let rpcs = &self.metrics.rpcs;
        rpcs.in_flight.dec();
        if self.streams {
            rpcs.streams.dec();
        }
        rpcs.ended(&self.rpc, self.code, self.began.elapsed().as_secs_f64());
        record(&self.span, self.code);
    }
}

/// Writes the code into a request's span. What is the server's fault makes an error of it.
pub(super) fn record(span: &Span, code: &'static str) {
    span.record("rpc.code", code);
    if matches!(code, "UNKNOWN" | "INTERNAL" | "UNAVAILABLE" | "DATA_LOSS" | "DEADLINE_EXCEEDED") {
        span.record("otel.status_code", "ERROR");
    }
}

/// An answer that is read for the code at its end.
struct Counted {
    body: Body,
    call: Call,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(code) = frame.trailers_ref().and_then(code)
        {
            self.call.code = code;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
