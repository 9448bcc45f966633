//! What kfp compiles is taken, but for what needs an allowance.
use crate::{allowing, assert_refused, check, fixtures};
use serde_json::Value;
use spec::{Allowance, Policy, Template};

fn read(text: &str) -> Value {
    Template::parse(text).expect("a template").to_json()
}

#[test]
fn what_kfp_1_compiles() {
    for (name, text) in fixtures("v1") {
        let template = Template::parse(&text).expect(&name);
        Policy::default().check(&template).expect(&name);
        // Upstream writes it again before it shows it.
        let mut shown = template.to_json();
        crate::set(&mut shown, "metadata.creationTimestamp", Value::Null);
        crate::set(&mut shown, "status.startedAt", Value::Null);
        check(&Policy::default(), &shown).expect(&name);
    }
}

#[test]
fn what_the_examples_are() {
    for text in [
        include_str!("../fixtures/hello.yaml"),
        include_str!("../../../../docs/examples/pipelines/hello.yaml"),
        include_str!("../../../../integration-tests/scenarios/files/platform.yaml"),
        include_str!("../../../../integration-tests/scenarios/files/argo.yaml"),
    ] {
        Policy::default().check(&Template::parse(text).unwrap()).unwrap();
    }
}

#[test]
fn what_kfp_kubernetes_compiles() {
    let template = Template::parse(include_str!("../fixtures/kubernetes.yaml")).unwrap();
    Policy::default().check(&template).unwrap();
}

/// Parameters in patches and in manifests could be patches and manifests themselves.
#[test]
fn what_kfp_1_compiles_and_takes_an_allowance() {
    use Allowance::{PodSpecPatch, ResourceTemplates};
    for (name, at, allowance) in [
        ("memory-of-a-parameter.yaml", "spec.templates[1].podSpecPatch", PodSpecPatch),
        ("resource.yaml", "spec.templates[0].resource", ResourceTemplates),
        ("volume-size.yaml", "spec.templates[0].resource", ResourceTemplates),
    ] {
        let (_, text) = fixtures("v1_refused").into_iter().find(|(file, _)| file == name).expect(name);
        assert_refused(check(&Policy::default(), &read(&text)), at, allowance.word());
        check(&allowing(&[allowance]), &read(&text)).expect(name);
    }
}

#[test]
fn claims_say_in_full_what_they_are() {
    let text = |text: &str| {
        let mut document = crate::manifest();
        crate::set(&mut document, "spec.templates[2].resource.action", "create".into());
        crate::set(&mut document, "spec.templates[2].resource.manifest", text.into());
        check(&Policy::default(), &document)
    };
    const CLAIM: &str =
        "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: '{{workflow.name}}-x'}, spec: {}}";
    text(CLAIM).unwrap();
    for (from, to) in [
        ("{{workflow.name}}", "{{inputs.parameters.name}}"),
        ("{{workflow.name}}", "{{=inputs.parameters.name}}"),
        ("{{workflow.name}}", "{{workflow.parameters.name}}"),
        ("metadata: {", "metadata: &a {"),
        ("PersistentVolumeClaim", "Pod"),
        ("apiVersion: v1", "apiVersion: v2"),
        ("metadata: {", "metadata: {namespace: other, "),
        ("spec: {", "spec: {volumeName: johns"),
        ("spec: {}}", "spec: {}}\n---\nkind: Pod"),
        ("{apiVersion", "[apiVersion"),
    ] {
        assert_refused(text(&CLAIM.replacen(from, to, 1)), "spec.templates[2].resource", "resource-templates");
    }
}

#[test]
fn words_of_allowances_are_read() {
    for allowance in Allowance::ALL {
        assert_eq!(allowance.word().parse(), Ok(*allowance));
    }
    let error = "hostpath".parse::<Allowance>().unwrap_err();
    assert!(error.contains("\"hostpath\"") && error.contains("host-path"), "{error}");
}
