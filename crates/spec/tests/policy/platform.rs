//! Platform settings: a row for each that is refused.
use crate::{check_guarded, check_never, check_taken};
use rstest::rstest;
use serde_json::{Value, json};
use spec::Allowance::{self, *};

const EXECUTOR: &str = "platforms.kubernetes.deploymentSpec.executors.exec-train";

fn settings() -> Value {
    json!({"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"exec-train": {"imagePullPolicy": "Always"}}}}}})
}

#[rstest]
#[case::root("securityContext.runAsUser", json!("0"), Privileged)]
#[case::root_as_number("securityContext.runAsUser", json!(0), Privileged)]
#[case::root_with_zeros("securityContext.runAsUser", json!("000"), Privileged)]
#[case::root_by_overflow("securityContext.runAsUser", json!("4294967296"), Privileged)]
#[case::root_by_exponent("securityContext.runAsUser", json!("0e1"), Privileged)]
#[case::root_in_the_other_spelling("securityContext.run_as_user", json!("0"), Privileged)]
#[case::not_non_root("securityContext.runAsNonRoot", json!(false), Privileged)]
#[case::pods_of_others("podAffinity[0].namespaces", json!(["other"]), Scheduling)]
#[case::pods_of_others_by_labels("podAffinity[0].matchNamespaceLabels", json!({"a": "b"}), Scheduling)]
#[case::pods_of_others_by_expressions("podAffinity[0].match_namespace_expressions", json!([]), Scheduling)]
fn of_an_executor(#[case] field: &str, #[case] value: Value, #[case] allowance: Allowance) {
    let path = format!("{EXECUTOR}.{field}");
    check_guarded(&settings(), &path, value, &path, allowance);
}

#[rstest]
#[case::host_network("hostNetwork", json!(true))]
#[case::host_path("hostPathMount", json!([]))]
#[case::pod_spec_patch("podSpecPatch", json!("{}"))]
#[case::service_account("serviceAccountName", json!("admin"))]
#[case::privileged("securityContext.privileged", json!(true))]
#[case::capabilities("securityContext.capabilities", json!({}))]
#[case::init_container_security("initContainers[0].securityContext", json!({}))]
#[case::pull_policy("imagePullPolicy", json!("Sometimes"))]
#[case::annotation_of_the_controller("podMetadata.annotations.workflows/argoproj", json!("x"))]
fn whatever_the_policy(#[case] field: &str, #[case] value: Value) {
    let path = format!("{EXECUTOR}.{field}");
    check_never(&settings(), &path, value, &path);
}

#[rstest]
#[case::other_keys("serviceAccountName", json!("admin"))]
#[case::other_platforms("platforms.docker", json!({}))]
#[case::semaphore("platforms.kubernetes.pipelineConfig.semaphoreKey", json!("x"))]
#[case::workspace("platforms.kubernetes.pipelineConfig.workspace.kubernetes.pvcSpecPatch.volumeName", json!("johns"))]
#[case::config("platforms.kubernetes.config", json!({}))]
fn around_executors(#[case] path: &str, #[case] value: Value) {
    check_never(&settings(), path, value, path);
}

#[test]
fn both_spellings_of_a_field_are_one() {
    let mut document = settings();
    crate::set(&mut document, &format!("{EXECUTOR}.securityContext"), json!({"runAsUser": "1", "run_as_user": "2"}));
    crate::assert_refused(
        crate::check(&crate::all(), &document),
        &format!("{EXECUTOR}.securityContext.run_as_user"),
        "the same field",
    );
}

#[rstest]
#[case::user("securityContext.runAsUser", json!("1000"))]
#[case::user_as_number("securityContext.runAsUser", json!(1000))]
#[case::group("securityContext.run_as_group", json!("0"))]
#[case::init_container("initContainers[0]", json!({
    "name": "prepare", "image": "busybox", "command": ["true"], "env": [{"name": "A", "value": "b"}],
    "volumeMounts": [{"volumeName": "scratch", "mountPath": "/scratch"}], "restartPolicy": "Always",
    "resources": {"limits": {"cpu": "1"}},
}))]
#[case::shared_memory("enabledSharedMemory", json!({"size": "1Gi", "volumeName": "shm"}))]
fn what_is_harmless(#[case] field: &str, #[case] value: Value) {
    check_taken(&settings(), &format!("{EXECUTOR}.{field}"), value);
}
