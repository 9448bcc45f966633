//! Outputs, as honest and as hostile tasks leave them.
#![expect(clippy::unwrap_used, reason = "tests may panic")]
mod support;

use engine::{Artifact, Outputs};
use launcher::{collect, stage};
use nix::{sys::stat::Mode, unistd::mkfifo};
use rstest::rstest;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::symlink};
use support::Attempt;

/// An attempt that has one output parameter `out` of a type, and one output artifact `model`.
fn attempt(kind: &str) -> Attempt {
    let outputs = json!({"parameters": {"out": {"parameterType": kind}}, "artifacts": {"model": {
        "artifactType": {"schemaTitle": "system.Model"}, "metadata": {"given": 1.0},
    }}});
    let attempt = Attempt::with_outputs(json!({"command": ["true"]}), json!({}), outputs);
    attempt.with(stage).unwrap();
    attempt
}

fn executor_output(attempt: &Attempt, value: &Value) {
    fs::write(attempt.file("artifacts/executor_output.json"), value.to_string()).unwrap();
}

#[track_caller]
fn check_refused(attempt: &Attempt, expect: &str) {
    let error = attempt.with(collect).unwrap_err().to_string();
    assert!(error.contains(expect), "{expect:?} is not in {error:?}");
    assert!(!error.contains(&attempt.file("outputs").display().to_string()), "places of the host are not told");
}

#[rstest]
#[case("STRING", " a\n", json!(" a\n"))]
#[case("STRING", "", json!(""))]
#[case("NUMBER_INTEGER", " 42\n", json!(42))]
#[case("NUMBER_DOUBLE", "1.50\n", json!(1.5))]
#[case("NUMBER_DOUBLE", "2.0", json!(2))]
#[case("BOOLEAN", "True", json!(true))]
#[case("BOOLEAN", "0", json!(false))]
#[case("LIST", "[1.0, {\"a\": null}]\n", json!([1, {"a": null}]))]
#[case("STRUCT", "{}", json!({}))]
fn parameters_of_files(#[case] kind: &str, #[case] text: &str, #[case] expect: Value) {
    let attempt = attempt(kind);
    fs::write(attempt.file("outputs/out"), text).unwrap();
    assert_eq!(attempt.with(collect).unwrap().parameters["out"].to_string(), expect.to_string());
}

#[rstest]
#[case("NUMBER_INTEGER", "1.5")]
#[case("NUMBER_INTEGER", "")]
#[case("NUMBER_DOUBLE", "inf")]
#[case("NUMBER_DOUBLE", "NaN")]
#[case("BOOLEAN", "yes")]
#[case("LIST", "{}")]
#[case("STRUCT", "[1")]
fn parameters_of_the_wrong_type(#[case] kind: &str, #[case] text: &str) {
    let attempt = attempt(kind);
    fs::write(attempt.file("outputs/out"), text).unwrap();
    check_refused(&attempt, &format!("output parameter \"out\": type {kind} is wanted"));
}

#[test]
fn the_executor_output_wins() {
    let attempt = attempt("STRING");
    fs::write(attempt.file("outputs/out"), "file").unwrap();
    let path = attempt.file("artifacts/model").display().to_string();
    executor_output(
        &attempt,
        &json!({
            "parameterValues": {"out": "value", "undeclared": 1},
            "artifacts": {
                "model": {"artifacts": [{"name": "model", "uri": path, "metadata": {"accuracy": 1.0, "list": [2.0]}}]},
                "executor-logs": {"artifacts": [{"uri": "/etc/passwd"}]},
            },
        }),
    );
    let Outputs { parameters, artifacts } = attempt.with(collect).unwrap();
    assert_eq!(json!(parameters), json!({"out": "value"}));
    assert_eq!(artifacts.len(), 1);
    let model = &artifacts["model"][0];
    assert_eq!((&model.name, &model.uri), (&"model".to_owned(), &path));
    assert_eq!(model.schema.schema_title, "system.Model");
    assert_eq!(json!(model.metadata).to_string(), r#"{"accuracy":1,"given":1,"list":[2]}"#);
}

#[test]
fn nothing_written() {
    check_refused(&attempt("STRING"), "output parameter \"out\": the task ended without writing this STRING");
    let attempt = attempt("STRING");
    executor_output(&attempt, &json!({"parameterValues": {"out": null}}));
    let outputs = attempt.with(collect).unwrap();
    assert_eq!(outputs.parameters["out"], Value::Null);
    assert_eq!(outputs.artifacts["model"][0].uri, attempt.file("artifacts/model").display().to_string());
}

#[rstest]
#[case("{")]
#[case("1")]
#[case(r#"{"what": 1}"#)]
#[case(r#"{"parameterValues": {"out": NaN}}"#)]
#[case(r#"{"artifacts": {"model": {"artifacts": [{"what": 1}]}}}"#)]
#[case(&format!("{{\"parameterValues\": {{\"out\": {}", "[".repeat(100_000)))]
fn bad_executor_outputs(#[case] text: &str) {
    let attempt = attempt("STRING");
    fs::write(attempt.file("artifacts/executor_output.json"), text).unwrap();
    check_refused(&attempt, "executor output: not the JSON that it should be");
}

#[test]
fn deep_values() {
    let deep = (0..70).fold(json!(1), |inner, _| json!([inner]));
    let attempt = attempt("LIST");
    executor_output(&attempt, &json!({"parameterValues": {"out": deep}}));
    check_refused(&attempt, "output parameter \"out\": it nests deeper");
    executor_output(
        &attempt,
        &json!({"parameterValues": {"out": []}, "artifacts": {"model": {"artifacts": [{"metadata": {"a": deep}}]}}}),
    );
    check_refused(&attempt, "output artifact \"model\": it nests deeper");
}

#[test]
fn long_files() {
    let attempt = attempt("STRING");
    fs::write(attempt.file("outputs/out"), vec![b'x'; 1 << 20]).unwrap();
    assert_eq!(attempt.with(collect).unwrap().parameters["out"].as_str().unwrap().len(), 1 << 20);
    // A file with a hole takes no room on the disk and claims to be huge.
    fs::File::create(attempt.file("outputs/out")).unwrap().set_len(1 << 40).unwrap();
    check_refused(&attempt, "outputs/out has more than 1048576 bytes");
    fs::File::create(attempt.file("artifacts/executor_output.json")).unwrap().set_len(1 << 40).unwrap();
    check_refused(&attempt, "artifacts/executor_output.json has more than 8388608 bytes");
}

#[test]
fn text_that_is_none() {
    let attempt = attempt("STRING");
    fs::write(attempt.file("outputs/out"), [0xff, 0xfe]).unwrap();
    check_refused(&attempt, "UTF-8");
}

/// Ways to put something else in the place of a file that is read, or of a folder on the way to it.
#[rstest]
fn links_pipes_and_folders(#[values("outputs/out", "artifacts/executor_output.json")] path: &str) {
    let place = |make: &dyn Fn(&Attempt)| {
        let attempt = attempt("STRING");
        fs::write(attempt.file("outputs/out"), "x").unwrap();
        let _ = fs::remove_file(attempt.file(path));
        make(&attempt);
        check_refused(&attempt, &format!("{path} is not a plain file in a plain folder"));
    };
    place(&|attempt| symlink("/etc/passwd", attempt.file(path)).unwrap());
    place(&|attempt| symlink("/dev/zero", attempt.file(path)).unwrap());
    place(&|attempt| symlink("nowhere", attempt.file(path)).unwrap());
    place(&|attempt| mkfifo(&attempt.file(path), Mode::S_IRWXU).unwrap());
    place(&|attempt| fs::create_dir(attempt.file(path)).unwrap());
    place(&|attempt| drop(std::os::unix::net::UnixListener::bind(attempt.file(path)).unwrap()));
    place(&|attempt| {
        let folder = attempt.file(path).parent().unwrap().to_owned();
        fs::remove_dir_all(&folder).unwrap();
        let secret = attempt.file("../secret");
        fs::create_dir(&secret).unwrap();
        fs::write(secret.join("out"), "secret").unwrap();
        fs::write(secret.join("executor_output.json"), "{}").unwrap();
        symlink(secret, folder).unwrap();
    });
}

fn collect_uri(attempt: &Attempt, artifact: Value) -> Result<String, String> {
    executor_output(
        attempt,
        &json!({"parameterValues": {"out": ""}, "artifacts": {"model": {"artifacts": [artifact]}}}),
    );
    let outputs = attempt.with(collect).map_err(|error| error.to_string())?;
    Ok(outputs.artifacts["model"][0].uri.clone())
}

#[test]
fn uris_that_are_kept() {
    let mut attempt = attempt("STRING");
    attempt
        .inputs
        .artifacts
        .insert("in".into(), vec![Artifact { uri: "/given/by/engine".into(), ..Artifact::default() }]);
    let below = attempt.file("artifacts/some/where").display().to_string();
    for uri in ["gs://b/k", "s3://b/k?x=1", "https://h/p", "oci://r/m", "/given/by/engine", &below] {
        assert_eq!(collect_uri(&attempt, json!({"uri": uri})).unwrap(), uri);
    }
    assert_eq!(collect_uri(&attempt, json!({"uri": "gs://b/k", "custom_path": below})).unwrap(), below);
    let own = attempt.file("artifacts/model").display().to_string();
    assert_eq!(collect_uri(&attempt, json!({"uri": "", "metadata": null})).unwrap(), own);
}

#[rstest]
#[case("/etc/passwd")]
#[case("/")]
#[case("relative")]
#[case("file:///etc/passwd")]
#[case("DIR/artifacts")]
#[case("DIR/artifacts/../work")]
#[case("DIR/artifacts/x/../../../other")]
#[case("DIR/artifacts/executor_output.json")]
#[case("DIR/outputs/out")]
#[case("DIR-other/artifacts/x")]
#[case("gs://b/\n")]
#[case(" ://x")]
fn uris_that_are_not(#[case] uri: &str) {
    let attempt = attempt("STRING");
    let uri = uri.replace("DIR", &attempt.dir().display().to_string());
    for artifact in [json!({"uri": uri}), json!({"custom_path": uri})] {
        assert!(collect_uri(&attempt, artifact).unwrap_err().starts_with("output artifact \"model\": its "));
    }
}

#[test]
fn artifacts_that_are_links() {
    let attempt = attempt("STRING");
    symlink("/etc/passwd", attempt.file("artifacts/model")).unwrap();
    symlink("/etc", attempt.file("artifacts/folder")).unwrap();
    assert!(collect_uri(&attempt, json!({})).unwrap_err().contains("neither a file nor a folder"));
    let behind = attempt.file("artifacts/folder/passwd").display().to_string();
    assert!(collect_uri(&attempt, json!({"uri": behind})).unwrap_err().contains("neither a file nor a folder"));
}
