//! Parameters of a run against what a pipeline declares.
#![expect(clippy::unwrap_used, reason = "tests may panic")]
use rstest::rstest;
use serde_json::{Value, json};
use spec::{Package, check_parameters};

fn check(parameters: Value) -> Result<(), String> {
    let package = Package::from_json(&json!({
        "pipelineInfo": {"name": "p"},
        "schemaVersion": "2.1.0",
        "root": {"dag": {}, "inputDefinitions": {"parameters": {
            "need": {"parameterType": "STRING"},
            "int": {"parameterType": "NUMBER_INTEGER", "defaultValue": 1},
            "double": {"parameterType": "NUMBER_DOUBLE", "isOptional": true},
            "flag": {"parameterType": "BOOLEAN", "isOptional": true},
            "list": {"parameterType": "LIST", "isOptional": true},
            "map": {"parameterType": "STRUCT", "isOptional": true},
            "pick": {"parameterType": "NUMBER_INTEGER", "isOptional": true, "literals": [1, 2]},
            "status": {"parameterType": "TASK_FINAL_STATUS", "isOptional": true},
            "none": {"isOptional": true},
        }}},
    }))
    .unwrap();
    let parameters = parameters.as_object().cloned().unwrap();
    check_parameters(&package.pipeline, &parameters).map_err(|error| error.message().to_owned())
}

#[rstest]
#[case(json!({"need": "x"}))]
#[case(json!({"need": "", "int": 2.5, "double": 1, "flag": false, "list": [], "map": {}, "pick": 2.0}))]
fn taken(#[case] parameters: Value) {
    check(parameters).unwrap();
}

#[rstest]
#[case(json!({}), &["\"need\"", "STRING", "required"])]
#[case(json!({"need": null}), &["\"need\"", "STRING", "null"])]
#[case(json!({"need": 1}), &["\"need\"", "STRING", "a number"])]
#[case(json!({"need": "x", "int": "1"}), &["\"int\"", "NUMBER_INTEGER", "a string"])]
#[case(json!({"need": "x", "flag": "true"}), &["\"flag\"", "BOOLEAN", "a string"])]
#[case(json!({"need": "x", "list": {}}), &["\"list\"", "LIST", "a struct"])]
#[case(json!({"need": "x", "map": []}), &["\"map\"", "STRUCT", "a list"])]
#[case(json!({"need": "x", "pick": 3}), &["\"pick\"", "1, 2"])]
#[case(json!({"need": "x", "status": {}}), &["\"status\"", "TASK_FINAL_STATUS"])]
#[case(json!({"need": "x", "none": 1}), &["\"none\"", "UNSPECIFIED"])]
#[case(json!({"need": "x", "who": 1, "what": 2}), &["what, who", "need"])]
fn refused(#[case] parameters: Value, #[case] parts: &[&str]) {
    let message = check(parameters).unwrap_err();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}
