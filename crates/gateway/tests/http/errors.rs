//! Errors: HTTP status, body and headers.
use axum::response::Response;
use gateway::{answer, error_response, http_status};
use tonic::{Code, Status};

use crate::{check, request, run, send, text};

const FAILURES: &str = "/apis/v2beta1/failures";

/// `google.rpc.Status { code: 5, message: "short", details: [Any(Status { code: 5, message: "short" }), Any(other)] }`.
fn details() -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, bytes.len() as u8], bytes].concat();
    let detail = [&[8, 5][..], &field(2, b"short")].concat();
    let any = |url: &str, value: &[u8]| field(3, &[field(1, url.as_bytes()), field(2, value)].concat());
    let ours = any("type.googleapis.com/google.rpc.Status", &detail);
    let other = any("type.googleapis.com/google.rpc.ErrorInfo", b"\x0a\x01x");
    [detail, ours, other].concat()
}

#[test]
fn codes_have_their_status() {
    let table = [
        (Code::Cancelled, 499),
        (Code::Unknown, 500),
        (Code::InvalidArgument, 400),
        (Code::DeadlineExceeded, 504),
        (Code::NotFound, 404),
        (Code::AlreadyExists, 409),
        (Code::PermissionDenied, 403),
        (Code::ResourceExhausted, 429),
        (Code::FailedPrecondition, 400),
        (Code::Aborted, 409),
        (Code::OutOfRange, 400),
        (Code::Unimplemented, 501),
        (Code::Internal, 500),
        (Code::Unavailable, 503),
        (Code::DataLoss, 500),
        (Code::Unauthenticated, 401),
    ];
    assert_eq!(http_status(Code::Ok), 200);
    for (code, status) in table {
        assert_eq!(http_status(code), status, "{code:?}");
        let code = code as i32;
        let body = format!(r#"{{"code":{code},"message":"a \"b\" é"}}"#);
        check("POST", FAILURES, &body, status, &body);
    }
}

#[test]
fn a_service_that_is_not_there_is_unimplemented() {
    check("GET", "/apis/v2beta1/absent", "", 501, r#"{"code":12,"message":""}"#);
}

#[test]
fn details_are_decoded() {
    let status = Status::with_details(Code::NotFound, "long", details().into());
    let body = run(text(error_response(&status)));
    let detail = r#"{"@type":"type.googleapis.com/google.rpc.Status","code":5,"message":"short"}"#;
    assert_eq!(body, format!(r#"{{"code":5,"message":"long","details":[{detail}]}}"#));

    for broken in [&b"\xff\xff\xff"[..], b"\x08", b"hello", b""] {
        let status = Status::with_details(Code::NotFound, "long", broken.to_vec().into());
        assert_eq!(run(text(error_response(&status))), r#"{"code":5,"message":"long"}"#, "{broken:?}");
    }
}

#[test]
fn details_arrive_from_the_inner_service() {
    use base64::Engine as _;
    let details = base64::prelude::BASE64_STANDARD.encode(details());
    let body = format!(r#"{{"code":5,"message":"long","details":"{details}"}}"#);
    let detail = r#"{"@type":"type.googleapis.com/google.rpc.Status","code":5,"message":"short"}"#;
    check("POST", FAILURES, &body, 404, &format!(r#"{{"code":5,"message":"long","details":[{detail}]}}"#));
}

#[test]
fn headers() {
    let header = |response: &Response, name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let ok = run(send(request("GET", "/apis/v2beta1/nothing", "")));
    assert_eq!(header(&ok, "content-type"), "application/json");
    assert_eq!(header(&ok, "grpc-metadata-content-type"), "application/grpc");

    for (message, challenge) in [
        ("who are you?", "who are you?"),
        ("a\r\nSet-Cookie: b=c", "a  Set-Cookie: b=c"),
        ("é\u{7f}\0", ""),
        (&"x".repeat(100_000), &"x".repeat(256)),
    ] {
        let response = error_response(&Status::unauthenticated(message));
        assert_eq!(response.status(), 401);
        assert_eq!(header(&response, "content-type"), "application/json");
        assert_eq!(header(&response, "www-authenticate"), challenge);
        assert!(!response.headers().contains_key("set-cookie"));
        let body: serde_json::Value = serde_json::from_str(&run(text(response))).unwrap();
        assert_eq!(body["message"], message);
    }
    let other = error_response(&Status::permission_denied("no"));
    assert_eq!(header(&other, "www-authenticate"), "");
}

#[test]
fn refusals_come_in_the_form_of_the_call() {
    let status = Status::with_details(Code::Unauthenticated, "wer? é%\n", details().into());
    let answer = |content_type: &str| {
        let response = answer(&status, Some(&content_type.parse().unwrap()));
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let shown = ["content-type", "grpc-status", "grpc-message", "grpc-status-details-bin"].map(header);
        (response.status().as_u16(), shown.map(Option::unwrap_or_default), run(text(response)))
    };
    use base64::Engine as _;
    let bin = base64::prelude::BASE64_STANDARD_NO_PAD.encode(details());
    for (content_type, expected) in [
        ("application/grpc", "application/grpc"),
        ("application/grpc+proto", "application/grpc"),
        ("application/grpc;charset=utf-8", "application/grpc"),
        ("application/grpc-web", "application/grpc-web"),
        ("application/grpc-web+proto", "application/grpc-web+proto"),
        ("application/grpc-web-text", "application/grpc-web-text"),
        ("application/grpc-web-text+proto", "application/grpc-web-text+proto"),
    ] {
        let (http, [kind, code, message, details], body) = answer(content_type);
        assert_eq!((http, &*kind, &*code, &*body), (200, expected, "16", ""), "{content_type}");
        assert_eq!((&*message, &*details), ("wer%3F%20%C3%A9%25%0A", &*bin), "{content_type}");
    }
    let json = run(text(error_response(&status)));
    for content_type in
        ["application/json", "", "text/plain", "multipart/form-data; boundary=b", "text/application/grpc"]
    {
        let none = String::new;
        let expected = (401, ["application/json".to_owned(), none(), none(), none()], json.clone());
        assert_eq!(answer(content_type), expected, "{content_type}");
    }
    assert_eq!(gateway::answer(&status, None).status(), 401);
}
