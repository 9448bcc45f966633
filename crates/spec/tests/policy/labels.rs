//! Labels and annotations: whose keys are taken, and what values.
use crate::{all, allowing, check, manifest};
use serde_json::{Value, json};
use spec::{Policy, check_domain};

/// Wherever pods and workflows get them.
const PLACES: [&str; 4] =
    ["/metadata", "/spec/podMetadata", "/spec/templates/2/metadata", "/spec/volumeClaimTemplates/0/metadata"];

fn with(place: &str, kind: &str, key: &str, value: Value) -> Value {
    let mut document = manifest();
    document["spec"]["podMetadata"] = json!({});
    document["spec"]["templates"][2]["metadata"] = json!({});
    document["spec"]["volumeClaimTemplates"] = json!([{"metadata": {}}]);
    document.pointer_mut(place).expect(place)[kind] = json!({ key: value });
    document
}

#[track_caller]
fn check_both(policy: &Policy, key: &str, value: &str, good: bool) {
    for (place, kind) in PLACES.iter().flat_map(|place| [(place, "labels"), (place, "annotations")]) {
        let checked = check(policy, &with(place, kind, key, json!(value)));
        assert_eq!(checked.is_ok(), good, "{key} of {place}/{kind}: {checked:?}");
        if let Err(error) = checked {
            assert!(error.message().contains(&format!("{kind}.{key}: ")), "{error}");
        }
    }
}

#[test]
fn keys() {
    for (key, good) in [
        ("team", true),
        ("access-ml-pipeline", true),
        ("pipelines.kubeflow.org/max_cache_staleness", true),
        ("sidecar.istio.io/inject", true),
        ("app.kubernetes.io/name", true),
        ("cluster-autoscaler.kubernetes.io/safe-to-evict", true),
        // Argo's controller acts on these, and one that is malformed stops it for everybody.
        ("workflows.argoproj.io/pod-gc-strategy", false),
        ("workflows.argoproj.io/template", false),
        ("workflows.argoproj.io/controller-instanceid", false),
        ("argoproj.io/x", false),
        // Others act on these.
        ("pipeline/runid", false),
        ("scheduledworkflows.kubeflow.org/workflowEpoch", false),
        ("sidecar.istio.io/userVolume", false),
        ("container.apparmor.security.beta.kubernetes.io/main", false),
        ("seccomp.security.alpha.kubernetes.io/pod", false),
        ("k8s.v1.cni.cncf.io/networks", false),
        ("iam.amazonaws.com/role", false),
        ("cdi.k8s.io/gpu", false),
        ("io.kubernetes.cri-o.Devices", false),
        // These are no keys.
        ("", false),
        ("a/b/c", false),
        ("/a", false),
        ("Example.com/a", false),
        ("-a", false),
        ("{{inputs.parameters.key}}", false),
        ("ümlaut", false),
    ] {
        check_both(&allowing(&[]), key, "x", good);
    }
    let long = "x".repeat(64);
    check_both(&allowing(&[]), &long, "x", false);
}

#[test]
fn domains_of_the_installation() {
    let policy = Policy { domains: ["example.com".to_owned()].into(), ..all() };
    for (key, good) in [
        ("example.com/team", true),
        ("cost.example.com/centre", true),
        ("badexample.com/team", false),
        ("example.org/team", false),
        ("workflows.argoproj.io/template", false),
    ] {
        check_both(&policy, key, "x", good);
    }
    let listed = Policy { domains: ["argoproj.io".to_owned()].into(), ..all() };
    check_both(&listed, "workflows.argoproj.io/template", "x", false);
    for (domain, good) in [
        ("example.com", true),
        ("iam.amazonaws.com", true),
        ("localhost", true),
        ("argoproj.io", false),
        ("workflows.argoproj.io", false),
        ("io", false),
        ("", false),
        ("*", false),
        ("*.example.com", false),
        ("Example.com", false),
        ("example.com/", false),
    ] {
        assert_eq!(check_domain(domain).is_ok(), good, "{domain}");
    }
}

#[test]
fn values() {
    for (value, label, annotation) in [
        (json!("1.8.22"), true, true),
        (json!(""), true, true),
        (json!("{{inputs.parameters.x}}"), true, true),
        (json!("v-{{inputs.parameters.x}}"), true, true),
        (json!("{{inputs.parameters.x"), false, true),
        (json!("two words"), false, true),
        (json!("{\"a\": 1}\n"), false, true),
        (json!("x".repeat(64)), false, true),
        (json!("x".repeat(256 << 10)), false, false),
        (json!("a\0"), false, false),
        (json!(true), false, false),
        (json!(1), false, false),
        (json!(null), false, false),
        (json!({}), false, false),
    ] {
        for (kind, good) in [("labels", label), ("annotations", annotation)] {
            let checked = check(&all(), &with("/spec/podMetadata", kind, "key", value.clone()));
            assert_eq!(checked.is_ok(), good, "{kind} {checked:?}");
        }
    }
}

#[test]
fn selectors_have_keys_without_parameters() {
    for (key, good) in [("disk", true), ("topology.kubernetes.io/zone", true), ("{{inputs.parameters.key}}", false)] {
        let mut document = manifest();
        document["spec"]["nodeSelector"] = json!({ key: "a" });
        assert_eq!(check(&all(), &document).is_ok(), good, "{key}");
    }
}
