//! What a definition can touch.
use crate::{all, check, fixtures, set};
use serde_json::json;
use spec::{Template, Touches};
use std::collections::BTreeSet;

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn of_a_manifest() {
    let (_, text) =
        fixtures("v1").into_iter().find(|(name, _)| name == "kubernetes-settings.yaml").expect("the fixture");
    let document = Template::parse(&text).unwrap().to_json();
    let expect = Touches {
        service_accounts: names([]),
        secrets: names(["keys", "login", "many", "one", "registry"]),
        config_maps: names(["conf", "plain", "settings", "two"]),
        volume_claims: names(["data"]),
        undecided: names([]),
    };
    assert_eq!(check(&all(), &document).unwrap(), expect);
}

#[test]
fn names_that_parameters_decide() {
    let (_, text) = fixtures("v1").into_iter().find(|(name, _)| name == "volumes.yaml").expect("the fixture");
    let touches = check(&all(), &Template::parse(&text).unwrap().to_json()).unwrap();
    assert_eq!(touches.volume_claims, names(["known-pvc"]));
    let claim = |index| format!("spec.templates[{index}].volumes[0].persistentVolumeClaim.claimName");
    assert_eq!(touches.undecided, [claim(2), claim(3)].into());
}

#[test]
fn service_accounts() {
    let mut document = crate::manifest();
    for (path, name) in [
        ("spec.serviceAccountName", "a"),
        ("spec.executor.serviceAccountName", "b"),
        ("spec.artifactGC.serviceAccountName", "c"),
        ("spec.templates[2].serviceAccountName", "d"),
        ("spec.templates[2].executor.serviceAccountName", "e"),
        ("spec.templates[2].outputs.artifacts[0].artifactGC.serviceAccountName", "f"),
        ("spec.templates[0].dag.tasks[0].inline.serviceAccountName", "g"),
        ("spec.templateDefaults.serviceAccountName", "h"),
        ("spec.templates[1].serviceAccountName", "default-editor"),
    ] {
        set(&mut document, path, json!(name));
    }
    let touches = check(&all(), &document).unwrap();
    assert_eq!(touches.service_accounts, names(["a", "b", "c", "d", "e", "f", "g", "h"]));
}

#[test]
fn of_platform_settings() {
    let template = Template::parse(include_str!("../fixtures/kubernetes.yaml")).unwrap();
    let touches = crate::allowing(&[]).check(&template).unwrap();
    assert_eq!(touches.secrets, names(["keys", "login", "registry"]));
    assert_eq!(touches.config_maps, names(["conf", "settings"]));
    assert_eq!(touches.volume_claims, names(["known"]));
    let executor = "platforms.kubernetes.deploymentSpec.executors.exec-train";
    let expect = [
        "pvcMount[0].pvcNameParameter.taskOutputParameter",
        "pvcMount[0].taskOutputParameter",
        "secretAsEnv[1].secretNameParameter.componentInputParameter",
        "secretAsEnv[2].secretNameParameter.taskOutputParameter",
    ];
    assert_eq!(touches.undecided, expect.map(|path| format!("{executor}.{path}")).into());
}
