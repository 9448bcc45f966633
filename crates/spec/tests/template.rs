//! v1 manifests: what is one, what is shown of it, and that it is stored unchanged.
#![expect(clippy::expect_used, reason = "tests may panic")]
use domain::Code;
use serde_json::{Value, json};
use spec::{Package, Parameter, Template};

const MANIFEST: &str = r#"
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: greet-
spec:
  entrypoint: greet
  arguments:
    parameters:
    - {name: who, value: world}
    - {name: times, value: 2.0}
    - {name: open}
  templates:
  - name: greet
    container: {image: alpine, command: [echo], args: ['{{inputs.parameters.who}}', "a\n---\nb"]}
"#;

#[track_caller]
fn check_refused(text: &str, code: Code, words: &str) {
    let error = Template::parse(text).and_then(|template| template.check_name()).expect_err("it should not be taken");
    assert_eq!((error.code(), error.message().contains(words)), (code, true), "{}", error.message());
}

#[test]
fn a_manifest_survives_all_forms() {
    let template = Template::parse(MANIFEST).unwrap();
    template.check_name().unwrap();
    let canonical = template.canonical().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&canonical).unwrap(), template.to_json());
    assert_eq!(Template::parse(&canonical).unwrap(), template);
    assert_eq!(Template::from_json(&template.to_json()).unwrap(), template);
    assert_eq!(template.to_json()["spec"]["templates"][0]["container"]["args"][1], "a\n---\nb");
}

#[test]
fn its_parameters_are_texts() {
    let canonical = Template::parse(MANIFEST).unwrap().canonical().unwrap();
    let expect = [("who", "world"), ("times", "2"), ("open", "")];
    let expect = expect.map(|(name, value)| Parameter { name: name.into(), value: value.into() });
    assert_eq!(Template::parameters(&canonical).unwrap(), expect);
    for none in ["", "arguments:", "arguments: {}", "arguments: {parameters: null}"] {
        let text = format!("{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: {{x: y, {none}}}}}");
        assert_eq!(Template::parameters(&Template::parse(&text).unwrap().canonical().unwrap()).unwrap(), []);
    }
    let package = Package::parse(include_str!("fixtures/hello.yaml")).unwrap().canonical().unwrap();
    assert_eq!(Template::parameters(&package).unwrap(), []);
}

#[test]
fn it_cannot_be_run() {
    let parsed = Package::parse(MANIFEST);
    let inline = Package::from_json(&Template::parse(MANIFEST).unwrap().to_json());
    for error in [parsed.expect_err("v1"), inline.expect_err("v1")] {
        assert_eq!(error.code(), Code::Unimplemented);
        assert!(error.message().contains("Argo backend"), "{error}");
    }
    Template::parse(include_str!("fixtures/hello.yaml")).unwrap().into_package().unwrap();
}

#[test]
fn what_is_wrong_is_named() {
    let bad = Code::InvalidArgument;
    for (from, to, words) in [
        ("argoproj.io/v1alpha1", "argoproj.io/v1", "apiVersion: a v1 manifest has \"argoproj.io/v1alpha1\""),
        ("kind: Workflow", "kind: CronWorkflow", "kind: a v1 manifest has \"Workflow\" here, not \"CronWorkflow\""),
        ("kind: Workflow", "", "not null"),
        ("spec:", "spek:", "spec: missing"),
        ("who, value: world", "\"\", value: world", "spec.arguments.parameters[0]"),
        ("{name: open}", "7", "spec.arguments.parameters[2]"),
        ("value: world", &format!("value: {}", "x".repeat(10_000)), "at most 10000"),
    ] {
        check_refused(&MANIFEST.replacen(from, to, 1), bad, words);
    }
    check_refused("{apiVersion: argoproj.io/v1alpha1, kind: Workflow, spec: []}", bad, "spec: a map is wanted");
    check_refused(&format!("{MANIFEST}---{MANIFEST}"), bad, "document 2");
    check_refused(&format!("{}---{MANIFEST}", include_str!("fixtures/hello.yaml")), bad, "document 2");
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    let manifest = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {"deep": deep}});
    assert_eq!(Template::from_json(&manifest).expect_err("it is deep").code(), bad);
}

#[test]
fn hard_texts_are_stored_unchanged_or_not_at_all() {
    for (text, kept) in [
        ("yes", true),
        ("1e3", true),
        ("\u{7f}", false),
        ("\0\u{7}\u{85}\u{2028}\u{feff}é🦀", true),
        ("a\r\nb\\ \"' \t", true),
        ("<<", true),
        (&"k".repeat(2000), false),
    ] {
        let spec = json!({"value": text, text: [text, 1.5, -3, null, true]});
        let manifest = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": spec});
        let template = Template::from_json(&manifest).unwrap();
        match template.canonical() {
            Ok(canonical) => assert_eq!(Template::parse(&canonical).unwrap(), template, "{text:?}"),
            Err(error) => assert!(!kept && error.code() == Code::InvalidArgument, "{text:?}: {error}"),
        }
    }
}

#[test]
fn names_inside_are_checked_where_they_count() {
    let named = |name: &str| MANIFEST.replace("{name: open}", &format!("{{name: pipeline-name, value: '{name}'}}"));
    let marked = |text: String| {
        let annotation = "metadata:\n  annotations: {pipelines.kubeflow.org/v2_pipeline: 'true'}";
        text.replacen("metadata:", annotation, 1)
    };
    Template::parse(&named("Not A Name")).unwrap().check_name().unwrap();
    Template::parse(&marked(named("a-name"))).unwrap().check_name().unwrap();
    Template::parse(&marked(MANIFEST.to_owned())).unwrap().check_name().unwrap();
    check_refused(&marked(named("Not A Name")), Code::InvalidArgument, "parameter \"pipeline-name\"");
}
