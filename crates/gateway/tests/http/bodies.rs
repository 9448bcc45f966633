//! How JSON bodies are read and messages written.
use crate::{LIMIT, answer, check, refused};

const THINGS: &str = "/apis/v2beta1/things";

/// A body of `thing`, and what the echo shows of it.
#[track_caller]
fn thing(body: &str, expected: &str) {
    check("POST", THINGS, body, 200, &format!(r#"{{"thing":{expected}}}"#));
}

#[test]
fn every_type() {
    for same in [
        "{}",
        r#"{"display_name":"é \u0000 \" x"}"#,
        r#"{"size":"9007199254740993","count":-3,"on":true,"weight":0.5,"color":"RED","data":"AP8="}"#,
        r#"{"created_at":"2026-01-02T03:04:05Z"}"#,
        r#"{"created_at":"1970-01-01T00:00:00Z"}"#,
        r#"{"spec":{"a":[1,"x",null,true,{"b":{}},[]]}}"#,
        r#"{"parameters":{"n":3,"s":"x","l":[1],"o":{"k":1},"z":null}}"#,
        r#"{"tags":{"a":"1","b":""},"words":["x",""],"things":[{"count":1},{}]}"#,
        r#"{"left":"","pipelineName":"p","maybe":0,"thing":{}}"#,
    ] {
        thing(same, same);
    }
}

#[test]
fn what_is_accepted_and_written_otherwise() {
    for (body, expected) in [
        (r#"{"displayName":"x","createdAt":"2026-01-02T03:04:05+01:00"}"#, {
            r#"{"display_name":"x","created_at":"2026-01-02T02:04:05Z"}"#
        }),
        (r#"{"size":5,"count":"6","color":2,"weight":"1.5"}"#, {
            r#"{"size":"5","count":6,"color":"GREEN","weight":1.5}"#
        }),
        (r#"{"display_name":"","size":0,"on":false,"color":"UNSPECIFIED","words":[],"tags":{}}"#, "{}"),
        (r#"{"display_name":null,"size":null,"things":null,"spec":null,"left":null,"right":"r"}"#, r#"{"right":"r"}"#),
        (" \n{\"count\": 1}\t\r\n", r#"{"count":1}"#),
    ] {
        thing(body, expected);
    }
}

#[test]
fn an_empty_body_is_an_empty_message() {
    for body in ["", " \r\n"] {
        check("POST", THINGS, body, 200, "{}");
        check("POST", "/apis/v2beta1/things/create", body, 200, "{}");
        check("POST", "/apis/v2beta1/reports", body, 200, "{}");
    }
}

#[test]
fn bodies_that_are_refused() {
    for (body, words) in [
        (r#"{"zzz":1}"#, &["zzz"][..]),
        (r#"{"thing":{"zzz":1}}"#, &["thing", "zzz"]),
        (r#"{"display_name":5}"#, &["display_name", "string"]),
        (r#"{"displayName":{}}"#, &["displayName"]),
        (r#"{"things":[{},{"count":"x"}]}"#, &["things[1].count"]),
        (r#"{"things":{}}"#, &["things"]),
        (r#"{"tags":{"a":1}}"#, &["tags.a"]),
        (r#"{"tags":[]}"#, &["tags"]),
        (r#"{"count":2147483648}"#, &["count"]),
        (r#"{"count":1.5}"#, &["count"]),
        (r#"{"size":"x"}"#, &["size"]),
        (r#"{"on":"true"}"#, &["on"]),
        (r#"{"color":"PINK"}"#, &["color", "PINK"]),
        (r#"{"data":"!"}"#, &["data"]),
        (r#"{"created_at":"yesterday"}"#, &["created_at"]),
        (r#"{"created_at":5}"#, &["created_at"]),
        (r#"{"spec":[]}"#, &["spec"]),
        (r#"{"weight":1e999}"#, &["weight"]),
        (r#"{"left":"l","right":"r"}"#, &["either"]),
        (r#"{"count":1,"count":1}"#, &["count", "twice"]),
        (r#"{"display_name":"a","displayName":"b"}"#, &["display_name", "twice"]),
        (r#"{"display_name":null,"display_name":"b"}"#, &["display_name", "twice"]),
        (r#"{"thing":{"count":1,"count":2}}"#, &["thing", "count", "twice"]),
        (r#"{"things":[{},{"count":1,"count":2}]}"#, &["things[1]", "twice"]),
        (r#"{"tags":{"a":"1","a":"2"}}"#, &["tags", "\"a\"", "twice"]),
        (r#"{"spec":{"a":{"b":1,"b":2}}}"#, &["spec.a", "\"b\"", "twice"]),
        (r#"{"parameters":{"p":{"b":1,"b":2}}}"#, &["parameters.p", "twice"]),
        (r#"{"count":1} x"#, &["trailing"]),
        ("{}{}", &["trailing"]),
        ("{", &["EOF"]),
        ("null", &[]),
        ("[]", &[]),
        ("5", &[]),
        ("\"x\"", &[]),
        ("nope", &[]),
        ("{'a':1}", &[]),
        (r#"{"display_name":"\ud800"}"#, &[]),
        ("\u{feff}{}", &[]),
    ] {
        refused("POST", THINGS, body, words);
    }
    refused("POST", THINGS, b"{\"display_name\":\"\xff\"}", &["UTF-8"]);
    refused("POST", THINGS, b"\x1f\x8b\x08\x00", &[]);
}

#[test]
fn the_whole_request() {
    let whole = r#"{"id":"i","thing":{"count":1},"page_size":2}"#;
    check("POST", "/apis/v2beta1/things/create", whole, 200, whole);
    let reported = r#"{"id":"path","thing":{"count":1},"page_size":2}"#;
    check("POST", "/apis/v2beta1/things/path:report", whole, 200, reported);
}

#[test]
fn the_path_overrides_the_body() {
    check(
        "PATCH",
        "/apis/v2beta1/things/t/versions/v",
        r#"{"thing_id":"x","id":"y","name":"n"}"#,
        200,
        r#"{"version":{"thing_id":"t","id":"v","name":"n"}}"#,
    );
}

#[test]
fn a_string_field() {
    let path = "/apis/v2beta1/reports";
    check("POST", path, r#""{\"kind\":\"Workflow\"}""#, 200, r#"{"text":"{\"kind\":\"Workflow\"}"}"#);
    for body in [r#"{"kind":"Workflow"}"#, "5", "null", "\"x\" y", "\"x", "[\"x\"]"] {
        refused("POST", path, body, &["one JSON string"]);
    }
}

#[test]
fn a_body_without_a_rule_is_not_read() {
    check("POST", "/apis/v2beta1/things/a:archive", "{}", 200, r#"{"id":"a"}"#);
    check("GET", "/apis/v2beta1/things/a", "not json", 200, r#"{"id":"a"}"#);
    let large = "x".repeat(LIMIT + 1);
    check("POST", "/apis/v2beta1/things/a:archive", &large, 200, r#"{"id":"a"}"#);
}

#[test]
fn size_is_limited() {
    let of = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    // The inner message has a few bytes besides the text.
    assert_eq!(answer("POST", "/apis/v2beta1/reports", of(LIMIT - 8)).0, 200);
    // The body fits, the message that it becomes does not.
    let (status, got) = answer("POST", "/apis/v2beta1/reports", of(LIMIT));
    assert!(status == 400 && got.contains("too large"), "{status}: {got}");
    let refusal = format!(r#"{{"code":8,"message":"the request body is larger than {LIMIT} bytes"}}"#);
    check("POST", "/apis/v2beta1/reports", &of(LIMIT + 1), 413, &refusal);
}

#[test]
fn an_endless_body_ends_at_the_limit() {
    let chunks = futures::stream::repeat(Ok::<_, std::convert::Infallible>("[[[["));
    assert_eq!(answer("POST", "/apis/v2beta1/reports", axum::body::Body::from_stream(chunks)).0, 413);
}

#[test]
fn a_broken_body_is_refused() {
    let chunks = futures::stream::iter([Ok("\"abc"), Err(std::io::Error::other("the peer is gone"))]);
    assert_eq!(answer("POST", "/apis/v2beta1/reports", axum::body::Body::from_stream(chunks)).0, 400);
}

/// What is nested as deep as the gateway lets it must also pass the inner service's decoder: never 500.
#[test]
fn nesting_is_limited_before_anything_overflows() {
    let shapes = [
        (THINGS, r#"{"thing":"#, "}"),
        (THINGS, r#"{"things":[{"thing":"#, "}]}"),
        ("/apis/v2beta1/things/create", r#"{"thing":"#, "}"),
    ];
    let wraps = [
        (THINGS, r#"{"spec":"#, r#"{"a":"#, "{}", "}", "}"),
        (THINGS, r#"{"spec":{"l":"#, "[", "", "]", "}}"),
        (THINGS, r#"{"parameters":{"p":"#, r#"{"a":"#, "1", "}", "}}"),
        (THINGS, r#"{"parameters":{"p":"#, "[", "1", "]", "}}"),
        (THINGS, r#"{"thing":{"things":[{"spec":"#, r#"{"a":"#, "{}", "}", "}]}}"),
        ("/apis/v2beta1/things/create", r#"{"thing":{"parameters":{"p":"#, r#"{"a":["#, "1", "]}", "}}}"),
    ];
    let simple = shapes.map(|(path, open, close)| (path, "", open, "{}", close, ""));
    for (path, before, open, core, close, after) in wraps.into_iter().chain(simple) {
        let mut statuses = Vec::new();
        for depth in (1..110).chain([1000, 6000]) {
            let body = [before, &open.repeat(depth), core, &close.repeat(depth), after].concat();
            let (status, got) = answer("POST", path, body);
            assert!(matches!(status, 200 | 400 | 413), "{before}{open} {depth}: {status} {got}");
            statuses.push(status);
        }
        assert_eq!(statuses[..15], [200; 15], "{before}{open}");
        assert!(statuses.is_sorted(), "{before}{open}: {statuses:?}");
        assert!(statuses.ends_with(&[400]) || statuses.ends_with(&[413]), "{before}{open}");
    }
}

#[test]
fn raw_brackets_do_not_overflow() {
    for open in ["[", "{\"thing\":", "{\"spec\":", "{\"zzz\":[", "{\"words\":[["] {
        refused("POST", THINGS, open.repeat(60_000 / open.len()), &[]);
    }
}
