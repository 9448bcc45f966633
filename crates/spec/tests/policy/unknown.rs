//! A key that the tables do not know is refused, wherever it stands.
use crate::{all, allowing, check, fixtures, set};
use serde_json::{Value, json};
use spec::{Policy, Template};

/// Where tenants' data stands, which nobody reads as fields.
const DATA: [&str; 2] = ["withItems", "constant"];

/// The places of all maps that are read.
fn maps(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(at.to_owned());
            for (key, value) in fields.iter().filter(|(key, _)| !DATA.contains(&key.as_str())) {
                maps(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| maps(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn check_all_maps(policies: &[Policy], document: &Value) -> usize {
    let mut found = Vec::new();
    maps(document, "", &mut found);
    for at in &found {
        let mut other = document.clone();
        let place = other.pointer_mut(at).and_then(Value::as_object_mut).expect(at);
        place.insert("noSuchKey".into(), json!([7]));
        for policy in policies {
            let error = check(policy, &other).expect_err(at);
            assert!(error.message().contains("noSuchKey"), "{at}: {error}");
        }
    }
    found.len()
}

#[test]
fn in_manifests() {
    let mut places = 0;
    for (name, text) in fixtures("v1") {
        places += check_all_maps(&[allowing(&[]), all()], &Template::parse(&text).expect(&name).to_json());
    }
    assert!(places > 400, "{places}");
}

#[test]
fn in_platform_settings() {
    let template = Template::parse(include_str!("../fixtures/kubernetes.yaml")).unwrap();
    let platform = template.to_json()["platform_spec"].clone();
    assert!(check_all_maps(&[allowing(&[]), all()], &platform) > 50);
}

/// An allowance lets a field through, and not what is made up inside of it.
#[test]
fn in_what_an_allowance_lets_through() {
    let mut document = crate::manifest();
    for (path, value) in [
        ("artifactGC", json!({"strategy": "Never", "podMetadata": {"labels": {}}})),
        ("executor", json!({"serviceAccountName": "a"})),
        ("hooks", json!({"exit": {"template": "step", "arguments": {}, "templateRef": {"name": "a"}}})),
        ("hostAliases", json!([{"ip": "10.0.0.1"}])),
        ("workflowTemplateRef", json!({"name": "a"})),
        ("synchronization", json!({"mutex": {"database": true}, "semaphores": [{"database": {"key": "a"}}]})),
        ("volumes[0]", json!({"hostPath": {"path": "/"}})),
        ("volumes[1]", json!({"csi": {"driver": "a", "volumeAttributes": {}, "nodePublishSecretRef": {}}})),
        ("volumes[2]", json!({"nfs": {"path": "/"}})),
        ("volumes[3]", json!({"image": {"reference": "a"}})),
        ("volumes[4].projected.sources[0]", json!({"serviceAccountToken": {"path": "a"}})),
        ("securityContext", json!({"sysctls": [{"name": "a"}], "seLinuxOptions": {}, "windowsOptions": {}})),
        ("securityContext.seccompProfile", json!({"type": "Unconfined"})),
        ("templates[2].container.securityContext", json!({"appArmorProfile": {"type": "Unconfined"}})),
        ("templates[2].container.securityContext.capabilities", json!({"add": ["SYS_ADMIN"]})),
        ("templates[2].resource", json!({"action": "get", "manifestFrom": {"artifact": {}}})),
        ("templates[2].inputs.artifacts[0]", json!({"s3": {"accessKeySecret": {}}, "artifactGC": {}})),
        ("templates[2].inputs.artifacts[1]", json!({"gcs": {}, "oss": {}, "azure": {}})),
    ] {
        set(&mut document, &format!("spec.{path}"), value);
    }
    check(&all(), &document).unwrap();
    check_all_maps(&[all()], &document);
}
