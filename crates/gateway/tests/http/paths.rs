//! Which RPC a method and a path mean.
use crate::{check, refused};

const UNKNOWN: &str = r#"{"code":5,"message":"Not Found"}"#;
const OTHER_METHOD: &str = r#"{"code":12,"message":"Method Not Allowed"}"#;

#[test]
fn known_routes() {
    for (method, path, expected) in [
        ("GET", "/things/abc", r#"{"id":"abc"}"#),
        ("GET", "/things/names", r#"{"id":"names"}"#),
        ("GET", "/things/names/x", r#"{"name":"x"}"#),
        ("DELETE", "/things/abc", r#"{"id":"abc"}"#),
        ("POST", "/things/create", "{}"),
        ("GET", "/things/create", r#"{"id":"create"}"#),
        ("POST", "/things/create/versions", r#"{"thing_id":"create"}"#),
        ("POST", "/things/abc:archive", r#"{"id":"abc"}"#),
        ("POST", "/things/abc:unarchive", r#"{"name":"abc"}"#),
        ("POST", "/things/create:archive", r#"{"id":"create"}"#),
        ("POST", "/things/a:archive:archive", r#"{"id":"a:archive"}"#),
        ("POST", "/things/a:b:unarchive", r#"{"name":"a:b"}"#),
        // Only POST has the verb, so here it is part of the id.
        ("GET", "/things/abc:archive", r#"{"id":"abc:archive"}"#),
        ("PATCH", "/things/t/versions/v", r#"{"version":{"thing_id":"t","id":"v"}}"#),
        ("PUT", "/things/t/versions/v", r#"{"version":{"thing_id":"t","id":"v"}}"#),
        ("GET", "/numbers/-7/GREEN", r#"{"number":"-7","color":"GREEN"}"#),
        ("GET", "/numbers/7/1", r#"{"number":"7","color":"RED"}"#),
        ("GET", "/nothing", "{}"),
    ] {
        check(method, &format!("/apis/v2beta1{path}"), "", 200, expected);
    }
}

#[test]
fn parameters_are_percent_decoded_once_and_do_not_route() {
    for (path, id) in [
        ("/things/a%20b", "a b"),
        ("/things/a+b", "a+b"),
        ("/things/a%2Fb", "a/b"),
        ("/things/a%2fversions%2Fb", "a/versions/b"),
        ("/things/%C3%A9", "é"),
        ("/things/a%2520b", "a%20b"),
        ("/things/a%3Aarchive", "a:archive"),
        ("/things/%2e%2e", ".."),
        ("/things/..", ".."),
        ("/things/%00", "\0"),
        ("/things/%7Bid%7D", "{id}"),
    ] {
        let expected = serde_json::json!({ "id": id }).to_string();
        check("GET", &format!("/apis/v2beta1{path}"), "", 200, &expected);
    }
    refused("GET", "/apis/v2beta1/things/%FF", "", &["path parameter id"]);
    refused("GET", "/apis/v2beta1/things/%zz", "", &["path parameter id"]);
    refused("GET", "/apis/v2beta1/things/a%2", "", &["path parameter id"]);
    refused("GET", "/apis/v2beta1/numbers/x/RED", "", &["path parameter number", "\"x\""]);
    refused("GET", "/apis/v2beta1/numbers/1/PINK", "", &["path parameter color", "GREEN"]);
}

#[test]
fn unknown_paths() {
    for path in [
        "/",
        "/apis/v2beta1",
        "/apis/v2beta1/",
        "/apis/v2beta1/thing",
        "/apis/v2beta1/things/",
        "/apis/v2beta1//things",
        "//apis/v2beta1/things",
        "/apis/v2beta1/things//versions",
        "/apis/v2beta1/things/a/",
        "/apis/v2beta1/things/a/b/c/d",
        "/apis/v2beta1/%74hings",
        "/apis/v2beta1/things%2Fabc",
        "/apis/v9/things",
        "/gateway.test.EchoService/Hidden",
        "/gateway.test.EchoService/GetThing",
    ] {
        for method in ["GET", "POST", "HEAD"] {
            if method == "HEAD" {
                assert_eq!(crate::answer(method, path, "").0, 404, "{path}");
            } else {
                check(method, path, "", 404, UNKNOWN);
            }
        }
    }
}

#[test]
fn known_paths_with_another_method() {
    for (method, path) in [
        ("PUT", "/things"),
        ("OPTIONS", "/things"),
        ("PATCH", "/things/abc"),
        ("POST", "/things/abc"),
        ("POST", "/things/abc:unknown"),
        ("POST", "/things/abc:"),
        ("POST", "/things/:archive"),
        ("DELETE", "/things/t/versions/v"),
        ("TRACE", "/things/abc"),
        ("BREW", "/things/abc"),
    ] {
        check(method, &format!("/apis/v2beta1{path}"), "{}", 501, OTHER_METHOD);
    }
    assert_eq!(crate::answer("HEAD", "/apis/v2beta1/things/abc", "").0, 501);
}
