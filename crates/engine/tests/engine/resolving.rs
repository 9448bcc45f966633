//! Inputs of tasks and outputs of runs.

use crate::support;
use engine::{Artifact, Command, Event, Inputs, Outputs, Plan, State, Success, step};
use rstest::rstest;
use serde_json::{Value, json};

const HOSTILE: &str = "{{$}} {{$.inputs.parameters['other']}} \"quoted\"\n{{$.pipeline_job_uuid}}";

/// Task `second` with one input `in`, after `first` has given outputs.
fn document(definition: &Value, source: &Value) -> Value {
    let mut document = support::document(&[("first".into(), vec![], 0), ("second".into(), vec![], 0)]);
    document["root"]["inputDefinitions"] = json!({"parameters": {
        "given": {"parameterType": "NUMBER_INTEGER", "isOptional": true},
        "default": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 2.0},
        "null": {"parameterType": "STRING", "isOptional": true},
        "hostile": {"parameterType": "STRING", "isOptional": true},
    }});
    let outputs = json!({"parameters": {
        "text": {"parameterType": "STRING"}, "number": {"parameterType": "NUMBER_DOUBLE"}, "absent": {"parameterType": "STRING"},
    }, "artifacts": {"data": {"artifactType": {"schemaTitle": "system.Dataset"}}, "gone": {}}});
    document["components"]["comp-first"]["outputDefinitions"] = outputs;
    document["components"]["comp-second"]["inputDefinitions"]["parameters"] = match definition {
        Value::Null => json!({}),
        definition => json!({"in": definition}),
    };
    let mut inputs = json!({
        "other": {"taskOutputParameter": {"producerTask": "first", "outputParameterKey": "number"}},
        "hostile": {"componentInputParameter": "hostile"},
        "constant": {"runtimeValue": {"constant": "c-{{$.inputs.parameters['other']}}"}},
    });
    if !source.is_null() {
        inputs["in"] = source.clone();
    }
    document["root"]["dag"]["tasks"]["second"]["inputs"] = json!({"parameters": inputs});
    document["root"]["dag"]["outputs"] = json!({
        "parameters": {"result": {"valueFromParameter": {"producerSubtask": "first", "outputParameterKey": "number"}}},
        "artifacts": {"set": {"artifactSelectors": [{"producerSubtask": "first", "outputArtifactKey": "data"}]}},
    });
    document
}

fn finished(plan: &Plan, state: &State, task: &str, outputs: Outputs) -> Event {
    let node = support::node(plan, state, task).unwrap();
    Event::Finished { node, attempt: 0, result: Ok(Success { outputs, cached_from: None }) }
}

fn first_outputs() -> Outputs {
    let artifact = Artifact { name: "data".into(), uri: "/x/data".into(), ..Artifact::default() };
    Outputs {
        parameters: json!({"text": HOSTILE, "number": 1.5}).as_object().cloned().unwrap(),
        artifacts: [("data".to_owned(), vec![artifact])].into_iter().collect(),
    }
}

/// Runs `first` and gives what `second` is launched with, or the error of the run.
fn launch(document: &Value) -> Result<Inputs, String> {
    let plan = support::plan(document, &json!({"given": 7, "hostile": HOSTILE})).unwrap();
    let (state, _) = step(&plan, State::default(), Event::Started);
    let event = finished(&plan, &state, "first", first_outputs());
    let (_, commands) = step(&plan, state, event);
    match commands.into_iter().next() {
        Some(Command::Launch { work, .. }) => Ok(work.inputs),
        Some(Command::Finish { result }) => Err(result.unwrap_err()),
        other => panic!("{other:?}"),
    }
}

fn constant(value: Value) -> Value {
    json!({"runtimeValue": {"constant": value}})
}

/// A part of an output: what it is of is only known when it is there.
fn part(key: &str, selector: &str) -> Value {
    let mut source = output(key);
    source["parameterExpressionSelector"] = json!(selector);
    source
}

fn output(key: &str) -> Value {
    json!({"taskOutputParameter": {"producerTask": "first", "outputParameterKey": key}})
}

#[rstest]
#[case::constant("NUMBER_INTEGER", constant(json!(3.0)), json!(3))]
#[case::text_of_number("STRING", constant(json!(3.0)), json!("3"))]
#[case::text_of_fraction("STRING", output("number"), json!("1.5"))]
#[case::text_of_list("STRING", constant(json!([1.0, "a"])), json!("[1,\"a\"]"))]
#[case::text_of_bool("STRING", constant(json!(true)), json!("true"))]
#[case::output("STRING", output("text"), json!(HOSTILE))]
#[case::given("NUMBER_INTEGER", json!({"componentInputParameter": "given"}), json!(7))]
#[case::default_of_root("NUMBER_DOUBLE", json!({"componentInputParameter": "default"}), json!(2))]
#[case::run_name("STRING", constant(json!("{{$.pipeline_job_name}}")), json!("my run"))]
#[case::run_id("STRING", constant(json!("<{{$.pipeline_job_uuid}}>")), json!("<run-1>"))]
#[case::task("STRING", constant(json!("{{$.pipeline_task_name}}")), json!("second"))]
#[case::created("STRING", constant(json!("{{$.pipeline_job_create_time_utc}}")), json!("1970-01-01T00:00:00Z"))]
#[case::scheduled("STRING", constant(json!("{{$.pipeline_job_schedule_time_utc}}")), json!("1970-01-01T00:01:00Z"))]
#[case::contained("STRING", constant(json!("a {{$.inputs.parameters['other']}} b")), json!("a 1.5 b"))]
#[case::contained_in_list("LIST", constant(json!(["{{$.inputs.parameters[\"other\"]}}"])), json!(["1.5"]))]
#[case::contained_constant("STRING", constant(json!("{{$.inputs.parameters['constant']}}")), json!("c-1.5"))]
#[case::hostile("STRING", constant(json!("{{$.inputs.parameters['hostile']}}")), json!(HOSTILE))]
#[case::unknown("STRING", constant(json!("{{$}} {{$.what}} {{$.inputs.parameters['nobody']}} {{$")), json!("{{$}} {{$.what}} {{$.inputs.parameters['nobody']}} {{$"))]
fn resolved(#[case] kind: &str, #[case] source: Value, #[case] expect: Value) {
    let inputs = launch(&document(&json!({"parameterType": kind}), &source)).unwrap();
    // Compared as text: an integer must not come as a double.
    assert_eq!(inputs.parameters["in"].to_string(), expect.to_string());
}

#[rstest]
#[case::optional(json!({"parameterType": "STRING", "isOptional": true}), Value::Null)]
#[case::has_default(json!({"parameterType": "STRING", "defaultValue": "x"}), Value::Null)]
#[case::optional_null(json!({"parameterType": "STRING", "isOptional": true}), json!({"componentInputParameter": "null"}))]
#[case::optional_null_constant(json!({"parameterType": "STRING", "isOptional": true}), constant(Value::Null))]
#[case::undeclared_null(Value::Null, json!({"componentInputParameter": "null"}))]
fn left_out(#[case] definition: Value, #[case] source: Value) {
    assert_eq!(launch(&document(&definition, &source)).unwrap().parameters.get("in"), None);
}

#[rstest]
#[case::null(json!({"parameterType": "STRING"}), json!({"componentInputParameter": "null"}), "null")]
#[case::kind(json!({"parameterType": "NUMBER_INTEGER"}), part("number", "string_value"), "NUMBER_INTEGER is wanted, but it is a string")]
#[case::no_output(json!({"parameterType": "STRING"}), output("absent"), "task \"first\" gave no output parameter \"absent\"")]
#[case::literal(json!({"parameterType": "NUMBER_INTEGER", "literals": [1]}), output("number"), "allowed values")]
#[case::endless(json!({"parameterType": "STRING"}), constant(json!("{{$.inputs.parameters['in']}}")), "levels deep")]
fn refused(#[case] definition: Value, #[case] source: Value, #[case] expect: &str) {
    let error = launch(&document(&definition, &source)).unwrap_err();
    assert!(error.starts_with("task \"second\" failed: input parameter \"in\": "), "{error}");
    assert!(error.contains(expect), "{error}");
}

#[test]
fn constants_cannot_grow_without_bounds() {
    let mut document = document(&json!({"parameterType": "STRING"}), &constant(json!("{{$.inputs.parameters['c0']}}")));
    for level in 0..4 {
        let text = format!("{{{{$.inputs.parameters['c{}']}}}}", level + 1).repeat(500);
        document["root"]["dag"]["tasks"]["second"]["inputs"]["parameters"][format!("c{level}")] = constant(json!(text));
    }
    document["root"]["dag"]["tasks"]["second"]["inputs"]["parameters"]["c4"] = constant(json!(""));
    assert!(launch(&document).unwrap_err().contains("bytes"));
}

#[test]
fn artifacts() {
    let with = |key: &str, definitions: Value| {
        let mut document = document(&Value::Null, &Value::Null);
        let from = json!({"in": {"taskOutputArtifact": {"producerTask": "first", "outputArtifactKey": key}}});
        document["root"]["dag"]["tasks"]["second"]["inputs"]["artifacts"] = from;
        document["components"]["comp-second"]["inputDefinitions"]["artifacts"] = definitions;
        launch(&document)
    };
    assert_eq!(with("data", json!({"in": {}})).unwrap().artifacts["in"][0].uri, "/x/data");
    assert!(with("gone", json!({"in": {}})).unwrap_err().contains("input artifact \"in\": task \"first\" gave no"));
    with("data", json!({"in": {}, "more": {"isOptional": true}})).unwrap();
}

#[test]
fn outputs_of_the_run() {
    let plan = support::plan(&document(&Value::Null, &Value::Null), &json!({})).unwrap();
    let (mut state, mut commands) = step(&plan, State::default(), Event::Started);
    for (task, outputs) in [("first", first_outputs()), ("second", Outputs::default())] {
        let event = finished(&plan, &state, task, outputs);
        (state, commands) = step(&plan, state, event);
    }
    let Some(Command::Finish { result: Ok(outputs) }) = commands.last() else { panic!("{commands:?} {state:?}") };
    assert_eq!(outputs.parameters["result"], json!(1.5));
    assert_eq!(outputs.artifacts["set"][0].uri, "/x/data");
}

#[test]
fn plans_refuse_what_cannot_run() {
    let mut custom = document(&Value::Null, &Value::Null);
    custom["deploymentSpec"]["executors"]["exec"] = json!({"customJob": {}});
    assert_eq!(support::plan(&custom, &json!({})).unwrap_err().code(), domain::Code::Unimplemented);
    let plain = document(&Value::Null, &Value::Null);
    assert_eq!(support::plan(&plain, &json!({"what": 1})).unwrap_err().code(), domain::Code::InvalidArgument);
}
