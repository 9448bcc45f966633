//! Rules that cannot be served are found when the gateway is built.
use gateway::Options;
use tonic::service::Routes;

fn build(descriptors: &[u8]) -> Result<axum::Router, gateway::Error> {
    gateway::router(Routes::default(), descriptors, Options { max_message: 1024 })
}

/// Builds a gateway from one `.proto` whose service is `methods`; gives what was said against it.
#[track_caller]
fn refusal(methods: &str) -> String {
    let source = format!(
        r#"
        syntax = "proto3";
        package bad;
        import "google/api/annotations.proto";
        message Part {{ string id = 1; }}
        message In {{ string id = 1; Part part = 2; repeated string words = 3; bytes data = 4; int32 number = 5; }}
        service Bad {{ {methods} }}
        "#
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.proto"), source).unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut compiler = protox::Compiler::new([folder.path(), &root]).unwrap();
    compiler.include_imports(true).open_file("bad.proto").unwrap();
    match build(&compiler.encode_file_descriptor_set()) {
        Ok(_) => panic!("accepted: {methods}"),
        Err(error) => error.to_string(),
    }
}

fn rpc(name: &str, rule: &str) -> String {
    format!("rpc {name}(In) returns (In) {{ option (google.api.http) = {{ {rule} }}; }}")
}

#[test]
fn bad_rules() {
    for (rule, reason) in [
        (r#"get: "/a/{nope}""#, "nope"),
        (r#"get: "/a/{id.x}""#, "id.x"),
        (r#"get: "/a/{words}""#, "words"),
        (r#"get: "/a/{part}""#, "part"),
        (r#"get: "/a/{data}""#, "data"),
        (r#"get: "/a/{id""#, "brace"),
        (r#"get: "/a/{id=b/*}""#, "id=b/*"),
        (r#"get: "/a/*""#, "wildcards"),
        (r#"get: "/a/{id}-{number}""#, "/a/{id}-{number}"),
        (r#"get: "a""#, "slash"),
        (r#"post: "/a" body: "nope""#, "nope"),
        (r#"post: "/a" body: "words""#, "words"),
        (r#"post: "/a" body: "number""#, "number"),
        (r#"post: "/a" response_body: "id""#, "response_body"),
        (r#"custom { kind: "HEAD" path: "/a" }"#, "one of get"),
        (r#"get: "/a" additional_bindings { get: "/b/{nope}" }"#, "nope"),
        (r#"get: "/a" additional_bindings { get: "/a" }"#, "GET /a"),
    ] {
        let text = refusal(&rpc("Get", rule));
        assert!(text.contains("bad.Bad.Get") && text.contains(reason), "{rule}: {text}");
    }
}

#[test]
fn streams() {
    for signature in ["(stream In) returns (stream In)", "(stream In) returns (In)"] {
        let text = refusal(&format!(r#"rpc Watch{signature} {{ option (google.api.http) = {{ get: "/a" }}; }}"#));
        assert!(text.contains("bad.Bad.Watch") && text.contains("whose request is a stream"), "{text}");
    }
}

#[test]
fn duplicates() {
    for (one, other) in [
        (r#"get: "/a""#, r#"get: "/a""#),
        (r#"get: "/a/{id}""#, r#"get: "/a/{part.id}""#),
        (r#"post: "/a/{id}:x""#, r#"post: "/a/{number}:x""#),
    ] {
        let text = refusal(&(rpc("One", one) + &rpc("Other", other)));
        assert!(text.contains("bad.Bad.Other") && text.contains("taken"), "{text}");
    }
}

#[test]
fn no_descriptors() {
    assert!(matches!(build(b"\xff\xff"), Err(gateway::Error::Descriptors(_))));
    assert!(matches!(build(b""), Err(gateway::Error::NoAnnotations)));
}
