//! No input makes the gateway panic or answer with a server error.
use axum::body::Body;
use http::Request;
use proptest::prelude::*;

use crate::{run, send, text};

/// Pieces that mean something to a router, a query or a decoder somewhere.
const PIECES: &[&str] = &[
    "/",
    "//",
    "things",
    "apis",
    "v2beta1",
    "create",
    "names",
    "versions",
    "numbers",
    ":archive",
    ":",
    "%",
    "%2F",
    "%00",
    "%FF",
    "%zz",
    "%2",
    "..",
    ".",
    "{id}",
    "{",
    "}",
    "*",
    "a",
    "é",
    "?",
    "&",
    "=",
    "+",
    ";",
    "#",
    "@",
    "[",
    "]",
    "page_size",
    "thing.",
    "words=",
    "colors=1",
    "tags",
    "resource_reference_key",
    "large=-",
    "99999999999999999999",
    "\\",
    "~",
    "|",
];

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"thing\"",
    "\"things\"",
    "\"spec\"",
    "\"parameters\"",
    "\"tags\"",
    "\"created_at\"",
    "\"display_name\"",
    "\"data\"",
    "\"color\"",
    "\"size\"",
    "\"@type\"",
    "\"left\"",
    "\"right\"",
    "null",
    "true",
    "1",
    "-1",
    "1e400",
    "1.5",
    "\"x\"",
    "\"\\ud800\"",
    "\"2026-13-99T99:99:99Z\"",
    "\"9999-12-31T23:59:60Z\"",
    " ",
    "\n",
    "\u{0}",
    "é",
];

fn joined(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![8 => proptest::sample::select(pieces).prop_map(str::to_owned), 1 => ".{0,4}"];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn survives(method: &str, uri: &str, body: Vec<u8>) -> Result<(), TestCaseError> {
    // What is no URI or no method does not get past the HTTP library.
    let Ok(request) = Request::builder().method(method).uri(uri).body(Body::from(body)) else { return Ok(()) };
    let (status, got) = run(async {
        let response = send(request).await;
        (response.status().as_u16(), text(response).await)
    });
    prop_assert!(status < 500 || status == 501, "{status}: {got}");
    prop_assert!(serde_json::from_str::<serde_json::Value>(&got).is_ok() || got.is_empty(), "{got}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn paths_and_queries(
        method in proptest::sample::select(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "X"][..]),
        start in proptest::sample::select(&["/", "/apis/v2beta1/", "/apis/v2beta1/things/", "/apis/v2beta1/things?", "*", ""][..]),
        rest in joined(PIECES),
    ) {
        survives(method, &format!("{start}{rest}"), Vec::new())?;
    }

    #[test]
    fn bodies(
        path in proptest::sample::select(&["things", "things/create", "reports", "things/a:report"][..]),
        start in proptest::sample::select(&["", "{", "{\"thing\":", "{\"spec\":{", "[", "{\"created_at\":"][..]),
        rest in joined(TOKENS),
    ) {
        survives("POST", &format!("/apis/v2beta1/{path}"), format!("{start}{rest}").into_bytes())?;
    }

    #[test]
    fn bytes(body in proptest::collection::vec(any::<u8>(), 0..64)) {
        survives("POST", "/apis/v2beta1/things", body)?;
    }

    #[test]
    fn headers(value in proptest::collection::vec(any::<u8>(), 0..16)) {
        let Ok(value) = http::HeaderValue::from_bytes(&value) else { return Ok(()) };
        let names = ["authorization", "grpc-timeout", "x-clear-tags", "x-request-id", "kubeflow-userid", "content-type"];
        let mut request = Request::builder().uri("/apis/v2beta1/nothing").body(Body::empty()).unwrap();
        for name in names {
            request.headers_mut().insert(name, value.clone());
        }
        let status = run(send(request)).status().as_u16();
        prop_assert!(status == 200 || status == 400, "{status}");
    }
}
