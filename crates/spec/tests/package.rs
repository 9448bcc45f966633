//! Packages in and out: fixtures that the SDK compiled, and documents that are wrong in one way each.
#![expect(clippy::expect_used, reason = "tests may panic")]
use serde_json::{Value, json};
use spec::{Package, runnable};

const FIXTURES: [(&str, &str); 8] = [
    ("hello", include_str!("fixtures/hello.yaml")),
    ("bare", include_str!("fixtures/bare.yaml")),
    ("features", include_str!("fixtures/features.yaml")),
    ("conditions", include_str!("fixtures/conditions.yaml")),
    ("loop", include_str!("fixtures/loop.yaml")),
    ("exit_handler", include_str!("fixtures/exit_handler.yaml")),
    ("nested", include_str!("fixtures/nested.yaml")),
    ("importer", include_str!("fixtures/importer.yaml")),
];

const PLATFORM: &str = "platforms:\n  kubernetes:\n    deploymentSpec:\n      executors: {}\n";

/// A pipeline of two tasks, small enough to be broken by one replacement.
const SMALL: &str = r#"
pipelineInfo: {name: small}
schemaVersion: 2.1.0
deploymentSpec:
  executors:
    exec-a: {container: {image: i, command: [echo], strange: 1}}
components:
  comp-a:
    executorLabel: exec-a
    inputDefinitions: {parameters: {n: {parameterType: STRING, isOptional: true}}}
    outputDefinitions: {parameters: {Output: {parameterType: STRING}}}
root:
  inputDefinitions: {parameters: {x: {parameterType: NUMBER_INTEGER}}}
  dag:
    tasks:
      a:
        componentRef: {name: comp-a}
        inputs: {parameters: {n: {componentInputParameter: x}}}
      b:
        componentRef: {name: comp-a}
        dependentTasks: [a]
        inputs: {parameters: {n: {taskOutputParameter: {producerTask: a, outputParameterKey: Output}}}}
"#;

#[test]
fn compiled_pipelines_survive_all_forms() {
    for (name, text) in FIXTURES {
        let package = Package::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        package.check_name().unwrap();
        let canonical = package.canonical().unwrap();
        assert_eq!(Package::parse(&canonical).unwrap(), package, "{name}");
        assert_eq!(Package::parse(&canonical).unwrap().canonical().unwrap(), canonical, "{name}");
        assert_eq!(Package::parse(&package.to_json().to_string()).unwrap(), package, "{name}");
        assert_eq!(Package::from_json(&package.to_json()).unwrap(), package, "{name}");
    }
}

#[test]
fn platform_settings_survive_all_forms() {
    for text in [format!("{SMALL}---\n{PLATFORM}"), format!("{PLATFORM}---{SMALL}")] {
        let package = Package::parse(&text).unwrap();
        let canonical = package.canonical().unwrap();
        assert_eq!(canonical.matches("\n---\n").count(), 1);
        assert_eq!(Package::parse(&canonical).unwrap(), package);
        assert_eq!(
            package.to_json()["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"],
            json!({"executors": {}})
        );
        assert_eq!(Package::from_json(&package.to_json()).unwrap(), package);
    }
}

#[test]
fn canonical_text() {
    let package = Package::parse(&SMALL.replace("inputDefinitions", "input_definitions")).unwrap();
    insta::assert_snapshot!(package.canonical().unwrap());
}

#[test]
fn spellings_and_numbers() {
    let text = SMALL.replace("executorLabel", "executor_label").replace("isOptional: true", "defaultValue: 2.0");
    let package = Package::parse(&text).unwrap();
    assert_eq!(
        package.to_json()["components"]["comp-a"]["inputDefinitions"]["parameters"]["n"]["defaultValue"].to_string(),
        "2"
    );
    for (written, read) in [
        ("yes", json!("yes")),
        ("012", json!("012")),
        ("1_000", json!("1_000")),
        ("null", Value::Null),
        ("1e3", json!(1000)),
        ("0.5", json!(0.5)),
        ("2020-01-01", json!("2020-01-01")),
        ("[1.0, {a: null}]", json!([1, {"a": null}])),
    ] {
        let package = Package::parse(&SMALL.replace("isOptional: true", &format!("defaultValue: {written}"))).unwrap();
        let definition = &package.pipeline.components["comp-a"].input_definitions.parameters["n"];
        assert_eq!(definition.default_value, Some(read), "{written}");
        assert_eq!(Package::parse(&package.canonical().unwrap()).unwrap(), package, "{written}");
    }
    // In proto3 JSON a null is an absent field.
    Package::parse(&SMALL.replace("dependentTasks: [a]", "dependentTasks: null")).unwrap();
}

#[test]
fn hard_texts_survive() {
    for text in [
        "",
        " ",
        "\n",
        "a\n---\nb",
        "---\n",
        "x: y",
        "# c",
        "\t\tx",
        "yes",
        "1e3",
        "'\"",
        "a \n b ",
        "{{$}}",
        "\u{85}\u{2028}\u{feff}",
        "\0\u{7}",
        "a\r\nb",
        "é🦀",
        "- a",
        "~",
        "!x",
        "&a *a",
        "\\n",
        "  lead\nx\n\n\n",
        "0x1f",
        ".5",
        "=",
        "<<",
        "%",
    ] {
        let mut document = Package::parse(SMALL).unwrap().to_json();
        document["deploymentSpec"]["executors"]["exec-a"]["container"]["args"] = json!([text]);
        document["components"]["comp-a"]["inputDefinitions"]["parameters"]["n"]["defaultValue"] = json!({text: text});
        let package = Package::from_json(&document).unwrap();
        assert_eq!(Package::parse(&package.canonical().unwrap()).unwrap(), package, "{text:?}");
    }
}

#[test]
fn what_is_taken_can_be_stored_and_read_again() {
    let with_default = |value: Value| {
        let mut document = Package::parse(SMALL).unwrap().to_json();
        document["components"]["comp-a"]["inputDefinitions"]["parameters"]["n"]["defaultValue"] = value;
        Package::from_json(&document)
    };
    let nest = |levels| {
        (0..levels).fold(json!("x"), |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({"k": inner}) })
    };
    let mut refused = 0;
    for value in [
        json!({"k".repeat(900): 1}),
        json!({"k".repeat(2000): 1}),
        json!({format!("{}\n", "é".repeat(600)): 1}),
        nest(10),
        nest(18),
        nest(19),
        nest(20),
        json!((0..49_900).collect::<Vec<_>>()),
        json!(" \u{1}'\"".repeat(1 << 12)),
    ] {
        let Ok(package) = with_default(value) else {
            refused += 1;
            continue;
        };
        assert_eq!(Package::parse(&package.canonical().unwrap()).map_err(|error| error.to_string()), Ok(package));
    }
    assert!(refused <= 4, "{refused} were refused");
}

#[track_caller]
fn check_refused(text: &str, expect: &[&str]) {
    let error = Package::parse(text).expect_err("it should not be taken");
    assert_eq!(error.code(), domain::Code::InvalidArgument);
    for part in expect {
        assert!(error.message().contains(part), "{part:?} is not in {:?}", error.message());
    }
    assert!(error.message().len() < 2000);
}

#[test]
fn wrong_documents_say_where() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("schemaVersion: 2.1.0", "schemaVersion: 2.0.0", &["schemaVersion", "2.1.0 is wanted"]),
        ("schemaVersion: 2.1.0", "", &["schemaVersion: missing"]),
        ("pipelineInfo: {name: small}", "pipelineInfo: {}", &["pipelineInfo.name"]),
        ("pipelineInfo: {name: small}", "pipelineInfo: {name: [", &["line ", "column "]),
        (
            "        inputs: {parameters: {n: {comp",
            "        inputs: {params: {n: {comp",
            &["root.dag.tasks.a.inputs", "unknown field `params`"],
        ),
        ("dependentTasks: [a]", "dependentTasks: a", &["root.dag.tasks.b.dependentTasks"]),
        ("dependentTasks: [a]", "dependentTasks: [c]", &["root.dag.tasks.b.dependentTasks: ", "no task \"c\""]),
        ("dependentTasks: [a]", "dependentTasks: [b]", &["b -> b wait for each other"]),
        ("componentInputParameter: x", "componentInputParameter: y", &["tasks.a.inputs.parameters.n", "\"y\""]),
        ("{componentInputParameter: x}", "{}", &["tasks.a.inputs.parameters.n: one of"]),
        (
            "componentInputParameter: x}",
            "taskOutputParameter: {producerTask: b, outputParameterKey: Output}}",
            &["a -> b -> a"],
        ),
        ("producerTask: a", "producerTask: z", &["tasks.b.inputs.parameters.n", "\"z\""]),
        ("outputParameterKey: Output", "outputParameterKey: Out", &["task \"a\" has no output parameter \"Out\""]),
        ("name: comp-a}\n        dep", "name: comp-z}\n        dep", &["tasks.b.componentRef.name", "comp-z"]),
        ("executorLabel: exec-a", "executorLabel: exec-z", &["components.comp-a.executorLabel", "exec-z"]),
        (
            "executorLabel: exec-a",
            "dag: {tasks: {t: {componentRef: {name: comp-a}}}}",
            &["comp-a -> comp-a contain each other"],
        ),
        ("componentRef: {name: comp-a}", "componentRef: [comp-a]", &["root.dag.tasks.a.componentRef", "sequence"]),
        ("{image: i, command: [echo], strange: 1}", "[i]", &["deploymentSpec.executors.exec-a.container", "sequence"]),
        ("image: i", "image: [i]", &["deploymentSpec.executors.exec-a.container.image"]),
        ("STRING, isO", "TEXT, isO", &["components.comp-a.inputDefinitions.parameters.n.parameterType"]),
        ("schemaVersion: 2.1.0", "schemaVersion: 2.1.0\nextra: 1", &["unknown field `extra`"]),
        ("isOptional: true", "defaultValue: .inf", &["line "]),
        ("isOptional: true", "isOptional: true, isOptional: true", &["line ", "isOptional"]),
    ];
    for (from, to, expect) in cases {
        assert!(SMALL.contains(from), "{from}");
        check_refused(&SMALL.replacen(from, to, 1), expect);
    }
}

#[test]
fn wrong_files_say_what() {
    check_refused("", &["empty"]);
    check_refused("# nothing\n---\n", &["empty"]);
    check_refused("just text", &["document 1"]);
    check_refused(&format!("{SMALL}---{SMALL}"), &["document 2", "second PipelineSpec"]);
    check_refused(&format!("{SMALL}---\n{PLATFORM}---\n{PLATFORM}"), &["second platform"]);
    check_refused(PLATFORM, &["no PipelineSpec"]);
    check_refused("platforms: {aws: {}}", &["kubernetes"]);
}

#[test]
fn bombs_are_refused_quickly() {
    let mut laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let line: Vec<_> = (0..10).map(|_| format!("*a{}", level - 1)).collect();
        laughs += &format!("a{level}: &a{level} [{}]\n", line.join(","));
    }
    check_refused(&laughs, &[]);
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 5000].join(","));
    check_refused(&long, &[]);
    check_refused(&"[".repeat(100_000), &[]);
    check_refused(&"- ".repeat(100_000), &[]);
    check_refused(&"{a: ".repeat(1000), &[]);
    check_refused(&format!("[{}]", "1,".repeat(1_000_000)), &[]);
    check_refused(&"---\na\n".repeat(1000), &[]);
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    assert!(Package::from_json(&json!({"root": deep})).is_err());
}

#[test]
fn names_for_saving() {
    for (name, good) in
        [("a", true), ("0-a", true), ("a-", true), ("A", false), ("-a", false), ("a_b", false), ("a b", false)]
    {
        let package = Package::parse(&SMALL.replace("small", &format!("'{name}'"))).unwrap();
        assert_eq!(package.check_name().is_ok(), good, "{name}");
    }
    let long = |length| Package::parse(&SMALL.replace("small", &"x".repeat(length))).unwrap().check_name();
    assert!(long(128).is_ok() && long(129).is_err());
}

#[test]
fn what_nobody_runs_is_named() {
    for (name, text) in FIXTURES {
        runnable(&Package::parse(text).unwrap().pipeline).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for (from, to, place) in
        [("container", "resolver", "deploymentSpec.executors"), ("container", "customJob", "deploymentSpec.executors")]
    {
        let error = runnable(&Package::parse(&SMALL.replacen(from, to, 1)).unwrap().pipeline).expect_err(to);
        assert_eq!(error.code(), domain::Code::Unimplemented);
        assert!(error.message().contains(place) && error.message().contains(to), "{error}");
    }
}
