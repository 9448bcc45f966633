//! Updates that take all tags away.
use serde_json::{Value, json};

use crate::{refused, request, run, send, text};

/// Sends a request, with the header if there is one, and gives what arrived.
fn arrived(method: &str, uri: &str, header: Option<&str>, body: &str) -> Value {
    let mut request = request(method, uri, body.to_owned());
    if let Some(value) = header {
        request.headers_mut().insert("x-clear-tags", value.parse().unwrap());
    }
    run(async {
        let response = send(request).await;
        assert_eq!(response.status(), 200, "{method} {uri} {body}");
        serde_json::from_str(&text(response).await).unwrap()
    })
}

#[test]
fn empty_tags_are_told_from_absent_ones() {
    let tagged = "/apis/v2beta1/tagged/v";
    for (method, uri, header, body, clears) in [
        ("PATCH", tagged, None, r#"{"tags":{}}"#, true),
        ("PATCH", tagged, None, r#" { "name": "n", "tags": { } } "#, true),
        ("PUT", tagged, None, r#"{"id":"x","tags":{}}"#, true),
        ("PATCH", tagged, None, r#"{"tags":{"a":"b"}}"#, false),
        ("PATCH", tagged, None, r#"{"tags":null}"#, false),
        ("PATCH", tagged, None, r#"{"name":"tags"}"#, false),
        ("PATCH", tagged, None, "{}", false),
        ("PATCH", tagged, None, "", false),
        ("PATCH", tagged, Some("true"), "{}", true),
        ("PATCH", tagged, Some("true"), "", true),
        ("PATCH", tagged, Some("true"), r#"{"tags":{"a":"b"}}"#, true),
        ("PATCH", tagged, Some("false"), "{}", false),
        ("PATCH", tagged, Some("false"), r#"{"tags":{}}"#, true),
        ("PATCH", tagged, Some(""), "{}", false),
        ("PATCH", "/apis/v2beta1/tagged/v?clear_tags=true", None, "{}", true),
        ("PATCH", "/apis/v2beta1/tagged/v?clearTags=True", None, r#"{"name":"n"}"#, true),
        ("PATCH", "/apis/v2beta1/tagged/v?clear_tags=false", None, "{}", false),
        ("PATCH", "/apis/v2beta1/tagged/v?clear_tags=false", None, r#"{"tags":{}}"#, true),
    ] {
        let got = arrived(method, uri, header, body);
        let expected = if clears { Value::Bool(true) } else { Value::Null };
        assert_eq!(got["clear_tags"], expected, "{method} {uri} {header:?} {body}: {got}");
    }
}

#[test]
fn other_requests_stay_as_they_are() {
    let version = json!({"version": {"thing_id": "t", "id": "v"}});
    for (uri, header, expected) in [
        ("/apis/v2beta1/things/t/versions/v", None, version.clone()),
        ("/apis/v2beta1/things/t/versions/v", Some("true"), version.clone()),
        ("/apis/v2beta1/things/t/versions/v?clear_tags=true", None, version),
    ] {
        assert_eq!(arrived("PATCH", uri, header, r#"{"tags":{}}"#), expected, "{uri} {header:?}");
    }
}

#[test]
fn bodies_are_read_as_strictly_as_ever() {
    for (body, word) in
        [(r#"{"tags":{},"tags":{}}"#, "tags"), (r#"{"tags":[]}"#, "tags"), (r#"{"clear_tags":true}"#, "clear_tags")]
    {
        refused("PATCH", "/apis/v2beta1/tagged/v", body, &[word]);
    }
    refused("PATCH", "/apis/v2beta1/tagged/v?clear_tags=maybe", "{}", &["clear_tags"]);
}
