//! How query parameters reach the request.
use crate::{check, refused};

#[test]
fn parameters_bind_by_name() {
    for (query, expected) in [
        ("", "{}"),
        ("&&=&=x&", "{}"),
        ("page_size=5", r#"{"page_size":5}"#),
        ("pageSize=5", r#"{"page_size":5}"#),
        ("page_token=&sort_by=&page_size=&color=&cascade=&large=&ratio=&colors=", "{}"),
        ("sort_by", "{}"),
        ("page_size", "{}"),
        ("sort_by=created_at+desc", r#"{"sort_by":"created_at desc"}"#),
        ("sort_by=created_at%20desc&page_token=a%2Bb%3D", r#"{"sort_by":"created_at desc","page_token":"a+b="}"#),
        ("sort_by=a=b", r#"{"sort_by":"a=b"}"#),
        ("sort_by=%C3%A9", r#"{"sort_by":"é"}"#),
        ("sort%5Fby=x", r#"{"sort_by":"x"}"#),
        // The service decodes filters once more, so exactly one layer comes off here.
        ("filter=%257B%2522a%2522%253A%2522%252B%2522%257D", r#"{"filter":"%7B%22a%22%3A%22%2B%22%7D"}"#),
        (
            "resource_reference_key.type=RED&resource_reference_key.id=e",
            r#"{"resource_reference_key":{"type":"RED","id":"e"}}"#,
        ),
        ("resourceReferenceKey.type=2", r#"{"resource_reference_key":{"type":"GREEN"}}"#),
        ("cascade=true", r#"{"cascade":true}"#),
        ("cascade=True", r#"{"cascade":true}"#),
        ("cascade=1", r#"{"cascade":true}"#),
        ("cascade=false", "{}"),
        ("color=RED", r#"{"color":"RED"}"#),
        ("color=2", r#"{"color":"GREEN"}"#),
        ("large=9223372036854775807", r#"{"large":"9223372036854775807"}"#),
        ("natural=18446744073709551615", r#"{"natural":"18446744073709551615"}"#),
        ("ratio=-1.5e3", r#"{"ratio":-1500}"#),
        ("words=b&words=a&words=", r#"{"words":["b","a",""]}"#),
        ("colors=RED&colors=2", r#"{"colors":["RED","GREEN"]}"#),
        ("unknown=1&utm_source=x&page_size.x=1&thing.unknown=2&words.x=3&tags.x=4", "{}"),
        ("thing.thing.display_name=x", r#"{"thing":{"thing":{"display_name":"x"}}}"#),
        ("thing.things.display_name=x", "{}"),
        ("%FF=1&%zz=2", "{}"),
    ] {
        check("GET", &format!("/apis/v2beta1/things?{query}"), "", 200, expected);
    }
}

#[test]
fn bad_values_are_refused_by_name() {
    for (query, name) in [
        ("page_size=x", "page_size"),
        ("pageSize=2147483648", "page_size"),
        ("page_size=1.5", "page_size"),
        ("page_size=1&page_size=2", "page_size"),
        ("page_size=1&pageSize=2", "page_size"),
        ("natural=-1", "natural"),
        ("cascade=yes", "cascade"),
        ("color=PINK", "color"),
        ("color=99", "color"),
        ("colors=RED&colors=PINK", "colors"),
        ("resource_reference_key.type=x", "resource_reference_key.type"),
        ("resource_reference_key=x", "resource_reference_key"),
        ("tags=x", "tags"),
        ("data=AAAA", "data"),
        ("thing.created_at=2026-01-01T00:00:00Z", "thing.created_at"),
        ("sort_by=%FF", "sort_by"),
        ("sort_by=%zz", "sort_by"),
        ("sort_by=100%", "sort_by"),
    ] {
        refused("GET", &format!("/apis/v2beta1/things?{query}"), "", &[&format!("query parameter {name}:")]);
    }
}

#[test]
fn path_and_body_are_out_of_reach() {
    check("GET", "/apis/v2beta1/things/a?id=b&namespace=n", "", 200, r#"{"id":"a","namespace":"n"}"#);
    check(
        "POST",
        "/apis/v2beta1/things?thing.display_name=q&thing.count=2&parent=p",
        r#"{"display_name":"b"}"#,
        200,
        r#"{"thing":{"display_name":"b"},"parent":"p"}"#,
    );
    check("POST", "/apis/v2beta1/things/create?id=q&page_size=x", r#"{"id":"b"}"#, 200, r#"{"id":"b"}"#);
}

#[test]
fn a_long_chain_of_names_is_no_field() {
    let chain = "thing.".repeat(5000);
    check("GET", &format!("/apis/v2beta1/things?{chain}display_name=x"), "", 200, "{}");
}
