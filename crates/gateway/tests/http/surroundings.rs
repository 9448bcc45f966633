//! What goes along with a request besides the message: metadata, extensions, a deadline.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::Body;
use serde_json::Value;

use crate::{LIMIT, answer, check, echo::Identity, request, run, send, text};

fn seen(request: http::Request<Body>) -> Value {
    run(async {
        let response = send(request).await;
        assert_eq!(response.status(), 200);
        serde_json::from_str(&text(response).await).unwrap()
    })
}

#[test]
fn headers_do_not_arrive() {
    let mut request = request("GET", "/apis/v2beta1/seen", "");
    for (name, value) in [
        ("Authorization", "Bearer abc"),
        ("Kubeflow-Userid", "user@example.com"),
        ("X-Clear-Tags", "true"),
        ("X-Request-Id", "r1"),
        ("Cookie", "session=1"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("Grpc-Metadata-Authorization", "Bearer other"),
        ("Content-Type", "text/plain"),
        ("Grpc-Status", "0"),
        ("Host", "example.com"),
    ] {
        request.headers_mut().append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    let seen = seen(request);
    let mut names: Vec<_> = seen["metadata"].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    // These are of the inner call itself.
    names.retain(|name| !["te", "content-type", "user-agent"].contains(name));
    assert_eq!(names, [""; 0]);
    assert_eq!(seen["metadata"]["content-type"], "application/grpc");
}

#[test]
fn extensions_arrive() {
    let mut with = request("GET", "/apis/v2beta1/seen", "");
    with.extensions_mut().insert(Identity("ada"));
    assert_eq!(seen(with)["identity"], "ada");
    assert_eq!(seen(request("GET", "/apis/v2beta1/seen", ""))["identity"], Value::Null);
}

/// A server ends a connection on which something of a request was not read.
#[test]
fn a_body_is_read_where_none_is_taken() {
    let is_read = Arc::new(AtomicBool::new(false));
    let read = is_read.clone();
    let late = futures::stream::once(async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        read.store(true, Ordering::Relaxed);
        Ok::<_, std::io::Error>("{}")
    });
    let request = request("GET", "/apis/v2beta1/seen", "").map(|_| Body::from_stream(late));
    assert_eq!(run(send(request)).status(), 200);
    assert!(is_read.load(Ordering::Relaxed));
}

#[test]
fn a_timeout_ends_the_call() {
    let begun = Instant::now();
    let mut hanging = request("GET", "/apis/v2beta1/hang", "");
    hanging.headers_mut().insert("grpc-timeout", "20m".parse().unwrap());
    let response = run(send(hanging));
    assert_eq!(response.status(), 504);
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(answer("GET", "/apis/v2beta1/nothing", "").0, 200);
}

#[test]
fn timeouts_are_read_strictly() {
    for (value, status) in [
        ("10S", 200),
        ("1H", 200),
        ("5M", 200),
        ("99999999H", 200),
        ("500000u", 200),
        ("99999999n", 200),
        ("999999999S", 400),
        ("S", 400),
        ("", 400),
        ("10", 400),
        ("-1S", 400),
        ("+1S", 400),
        ("1 S", 400),
        ("1s", 400),
        ("1.5S", 400),
    ] {
        let mut timed = request("GET", "/apis/v2beta1/nothing", "");
        timed.headers_mut().insert("grpc-timeout", value.parse().unwrap());
        assert_eq!(run(send(timed)).status(), status, "{value:?}");
    }
}

#[test]
fn responses_are_limited() {
    let mut large = request("GET", "/apis/v2beta1/seen", "");
    large.extensions_mut().insert(Identity("x".repeat(LIMIT).leak()));
    let response = run(send(large));
    assert_eq!(response.status(), 429);
    assert!(run(text(response)).contains("ask for less"));
}

#[test]
fn the_gateway_is_a_fallback() {
    let outer = axum::Router::new()
        .route("/livez", axum::routing::get(|| async { "alive" }))
        .fallback_service(crate::gateway());
    let response = run(tower::ServiceExt::oneshot(outer, request("GET", "/apis/v2beta1/things/a", ""))).unwrap();
    assert_eq!(run(text(response)), r#"{"id":"a"}"#);
    check("GET", "/livez", "", 404, r#"{"code":5,"message":"Not Found"}"#);
}
