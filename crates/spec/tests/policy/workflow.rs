//! A row for each field of v1 manifests that is refused.
use crate::{check_guarded, check_never, check_taken, manifest};
use rstest::rstest;
use serde_json::{Value, json};
use spec::Allowance::{self, *};

const STEP: &str = "spec.templates[2]";

#[rstest]
// The ways around the strict templates of Argo, and around checks of the service account.
#[case::template_service_account("serviceAccountName", json!("admin"), ServiceAccounts)]
#[case::template_service_account_of_kfp("serviceAccountName", json!("pipeline-runner"), ServiceAccounts)]
#[case::template_executor_service_account("executor.serviceAccountName", json!("admin"), ServiceAccounts)]
#[case::template_token("automountServiceAccountToken", json!(true), ServiceAccounts)]
#[case::template_pod_spec_patch("podSpecPatch", json!("{\"hostNetwork\": true}"), PodSpecPatch)]
#[case::template_empty_pod_spec_patch("podSpecPatch", json!(""), PodSpecPatch)]
#[case::template_plugin("plugin", json!({"hello": {}}), Plugins)]
#[case::template_empty_plugin("plugin", json!({}), Plugins)]
#[case::template_host_aliases("hostAliases", json!([{"ip": "10.0.0.1", "hostnames": ["ml-pipeline"]}]), HostAliases)]
#[case::template_priority("priority", json!(1000), Scheduling)]
#[case::template_priority_class("priorityClassName", json!("system-node-critical"), Scheduling)]
#[case::template_scheduler("schedulerName", json!("mine"), Scheduling)]
#[case::old_template_ref("templateRef", json!({"name": "other", "template": "x"}), TemplateRefs)]
#[case::resource("resource", json!({"action": "create", "manifest": "kind: Job"}), ResourceTemplates)]
#[case::resource_delete("resource", json!({"action": "delete", "flags": ["pvc", "x"]}), ResourceTemplates)]
#[case::empty_resource_manifest("resource", json!({"action": "create", "manifest": ""}), ResourceTemplates)]
#[case::semaphore_elsewhere("synchronization.semaphore.namespace", json!("other"), Synchronization)]
fn of_a_template(#[case] field: &str, #[case] value: Value, #[case] allowance: Allowance) {
    // Also in the defaults of templates, and in a template that stands in a task or in a step.
    let inline = ["spec.templates[0].dag.tasks[0].inline", "spec.templates[1].steps[0][0].inline"];
    for template in [STEP, "spec.templateDefaults", inline[0], inline[1]] {
        let path = format!("{template}.{field}");
        check_guarded(&manifest(), &path, value.clone(), &path, allowance);
    }
}

#[rstest]
#[case::service_account("serviceAccountName", json!("admin"), ServiceAccounts)]
#[case::executor_service_account("executor.serviceAccountName", json!("admin"), ServiceAccounts)]
#[case::executor_service_account_of_kfp("executor.serviceAccountName", json!("pipeline-runner"), ServiceAccounts)]
#[case::token("automountServiceAccountToken", json!(true), ServiceAccounts)]
#[case::artifact_gc("artifactGC", json!({"strategy": "OnWorkflowDeletion"}), ArtifactGc)]
#[case::host_network("hostNetwork", json!(true), HostNamespaces)]
#[case::dns_of_the_host("dnsPolicy", json!("ClusterFirstWithHostNet"), HostNamespaces)]
#[case::host_aliases("hostAliases", json!([]), HostAliases)]
#[case::pod_spec_patch("podSpecPatch", json!("{}"), PodSpecPatch)]
#[case::hooks("hooks", json!({"running": {"template": "step", "expression": "true"}}), Hooks)]
#[case::workflow_template_ref("workflowTemplateRef", json!({"name": "other"}), TemplateRefs)]
#[case::pod_priority("podPriority", json!(1), Scheduling)]
#[case::pod_priority_class("podPriorityClassName", json!("high"), Scheduling)]
#[case::priority("priority", json!(1), Scheduling)]
#[case::scheduler("schedulerName", json!("mine"), Scheduling)]
fn of_the_spec(#[case] field: &str, #[case] value: Value, #[case] allowance: Allowance) {
    let path = format!("spec.{field}");
    check_guarded(&manifest(), &path, value, &path, allowance);
}

/// Guarded fields within fields that take another allowance.
#[rstest]
#[case::artifact_gc_service_account("spec.artifactGC.serviceAccountName", json!("admin"), ServiceAccounts, ArtifactGc)]
#[case::artifact_gc_pod_spec_patch("spec.artifactGC.podSpecPatch", json!("{}"), PodSpecPatch, ArtifactGc)]
#[case::artifact_gc_of_an_artifact(
    "spec.templates[2].outputs.artifacts[0].artifactGC.serviceAccountName",
    json!("admin"),
    ServiceAccounts,
    ArtifactGc
)]
#[case::hook_template_ref("spec.hooks.exit.templateRef", json!({"name": "other"}), TemplateRefs, Hooks)]
fn within_another(#[case] path: &str, #[case] value: Value, #[case] inner: Allowance, #[case] outer: Allowance) {
    let mut document = manifest();
    crate::set(&mut document, path, value);
    crate::assert_refused(crate::check(&crate::all_but(inner), &document), path, &format!("\"{inner}\""));
    let (above, _) = path.rsplit_once('.').unwrap();
    let above = above.strip_suffix(".exit").unwrap_or(above);
    crate::assert_refused(crate::check(&crate::all_but(outer), &document), above, &format!("\"{outer}\""));
    crate::check(&crate::all(), &document).unwrap();
}

#[rstest]
#[case::template_ref("templateRef", json!({"name": "other", "template": "x", "clusterScope": true}), TemplateRefs)]
#[case::hooks("hooks", json!({"exit": {"template": "step"}}), Hooks)]
fn of_a_task_or_step(#[case] field: &str, #[case] value: Value, #[case] allowance: Allowance) {
    for place in ["spec.templates[0].dag.tasks[0]", "spec.templates[1].steps[0][0]"] {
        let path = format!("{place}.{field}");
        check_guarded(&manifest(), &path, value.clone(), &path, allowance);
    }
}

#[rstest]
#[case::privileged("privileged", json!(true))]
#[case::privilege_escalation("allowPrivilegeEscalation", json!(true))]
#[case::capabilities("capabilities.add", json!(["SYS_ADMIN"]))]
#[case::no_capabilities("capabilities.add", json!([]))]
#[case::proc_mount("procMount", json!("Unmasked"))]
#[case::root("runAsUser", json!(0))]
#[case::negative_user("runAsUser", json!(-1))]
#[case::user_that_overflows_to_root("runAsUser", json!(4294967296_u64))]
#[case::not_non_root("runAsNonRoot", json!(false))]
#[case::seccomp("seccompProfile", json!({"type": "Unconfined"}))]
#[case::app_armor("appArmorProfile", json!({"type": "Unconfined"}))]
#[case::se_linux("seLinuxOptions", json!({"type": "spc_t"}))]
#[case::windows_host_process("windowsOptions", json!({"hostProcess": true}))]
fn of_a_security_context(#[case] field: &str, #[case] value: Value) {
    for container in ["container", "script", "initContainers[0]", "sidecars[0]"] {
        let path = format!("{STEP}.{container}.securityContext.{field}");
        check_guarded(&manifest(), &path, value.clone(), &path, Privileged);
    }
}

#[rstest]
#[case::root("runAsUser", json!(0))]
#[case::not_non_root("runAsNonRoot", json!(false))]
#[case::seccomp("seccompProfile", json!({"type": "Unconfined"}))]
#[case::app_armor("appArmorProfile", json!({"type": "Unconfined"}))]
#[case::se_linux("seLinuxOptions", json!({"level": "s0"}))]
#[case::sysctls("sysctls", json!([{"name": "kernel.msgmax", "value": "1"}]))]
#[case::windows_host_process("windowsOptions", json!({"hostProcess": true}))]
fn of_a_pods_security_context(#[case] field: &str, #[case] value: Value) {
    for place in ["spec", STEP] {
        let path = format!("{place}.securityContext.{field}");
        check_guarded(&manifest(), &path, value.clone(), &path, Privileged);
    }
}

#[rstest]
#[case::host_port("container.ports[0].hostPort", json!(80), HostNamespaces)]
#[case::host_ip("container.ports[0].hostIP", json!("0.0.0.0"), HostNamespaces)]
#[case::mount_propagation("container.volumeMounts[0].mountPropagation", json!("Bidirectional"), Privileged)]
#[case::host_path("volumes[0].hostPath", json!({"path": "/"}), HostPath)]
#[case::nfs("volumes[0].nfs", json!({"server": "nfs", "path": "/"}), NodeVolumes)]
#[case::csi("volumes[0].csi", json!({"driver": "x"}), NodeVolumes)]
#[case::image_volume("volumes[0].image", json!({"reference": "x"}), NodeVolumes)]
#[case::projected_token("volumes[0].projected.sources[0].serviceAccountToken", json!({"path": "token"}), ServiceAccounts)]
#[case::pods_of_others(
    "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespaces",
    json!(["other"]),
    Scheduling
)]
#[case::pods_of_all(
    "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.namespaceSelector",
    json!({}),
    Scheduling
)]
#[case::mutex_elsewhere("synchronization.mutexes[0].namespace", json!("other"), Synchronization)]
#[case::mutex_in_a_database("synchronization.mutex.database", json!(true), Synchronization)]
#[case::semaphore_in_a_database("synchronization.semaphores[0].database", json!({"key": "x"}), Synchronization)]
#[case::s3_key("inputs.artifacts[0].s3", json!({"key": "private-artifacts/other/x"}), ArtifactLocations)]
#[case::gcs("outputs.artifacts[0].gcs", json!({"bucket": "b", "key": "k"}), ArtifactLocations)]
#[case::azure("outputs.artifacts[0].azure", json!({"blob": "b"}), ArtifactLocations)]
#[case::oss("outputs.artifacts[0].oss", json!({"key": "k"}), ArtifactLocations)]
#[case::artifact_plugin("outputs.artifacts[0].plugin", json!({"name": "x"}), Plugins)]
#[case::archive_location("archiveLocation.s3", json!({"key": "other"}), ArtifactLocations)]
fn of_a_pod(#[case] field: &str, #[case] value: Value, #[case] allowance: Allowance) {
    let path = format!("{STEP}.{field}");
    check_guarded(&manifest(), &path, value, &path, allowance);
}

/// Fields that nothing allows, of the right kind and of others.
#[rstest]
#[case::host_pid("spec.hostPID", json!(true))]
#[case::host_ipc("spec.hostIPC", json!(true))]
#[case::shared_processes("spec.shareProcessNamespace", json!(true))]
#[case::in_another_case("spec.HostNetwork", json!(false))]
#[case::in_lower_case("spec.templates[2].podspecpatch", json!("{}"))]
#[case::metrics("spec.metrics", json!({"prometheus": []}))]
#[case::shutdown("spec.shutdown", json!("Stop"))]
#[case::artifact_repository("spec.artifactRepositoryRef", json!({"configMap": "x"}))]
#[case::workflow_metadata("spec.workflowMetadata", json!({"labelsFrom": {}}))]
#[case::budget_with_selector("spec.podDisruptionBudget.selector", json!({}))]
#[case::memoize("spec.templates[2].memoize", json!({"key": "x", "cache": {"configMap": {"name": "x"}}}))]
#[case::http("spec.templates[2].http", json!({"url": "http://metadata"}))]
#[case::data("spec.templates[2].data", json!({}))]
#[case::container_set("spec.templates[2].containerSet", json!({"containers": []}))]
#[case::namespace("metadata.namespace", json!("other"))]
#[case::finalizers("metadata.finalizers", json!(["x"]))]
#[case::owners("metadata.ownerReferences", json!([]))]
#[case::status("status.phase", json!("Succeeded"))]
#[case::flex_volume("spec.volumes[0].flexVolume", json!({"driver": "x"}))]
#[case::git_repo("spec.volumes[0].gitRepo", json!({"repository": "x"}))]
#[case::probe_of_another_host("spec.templates[2].container.livenessProbe.httpGet.host", json!("10.0.0.1"))]
#[case::hook_to_another_host("spec.templates[2].container.lifecycle.preStop.httpGet.host", json!("10.0.0.1"))]
#[case::claim_of_a_volume("spec.volumeClaimTemplates[0].spec.volumeName", json!("johns"))]
#[case::claim_of_another("spec.volumeClaimTemplates[0].spec.dataSourceRef", json!({"namespace": "other"}))]
#[case::host_path_as_text("spec.volumes[0].emptyDir", json!("/"))]
#[case::privileged_as_text("spec.templates[2].container.securityContext.readOnlyRootFilesystem", json!("true"))]
#[case::templates_as_map("spec.templates", json!({}))]
#[case::pull_policy_as_parameter("spec.templates[2].container.imagePullPolicy", json!("{{inputs.parameters.x}}"))]
#[case::pod_gc_delay("spec.podGC.deleteDelayDuration", json!("soon"))]
#[case::pod_gc_delay_without_unit("spec.podGC.deleteDelayDuration", json!("30"))]
#[case::pod_gc_delay_that_overflows("spec.podGC.deleteDelayDuration", json!("9999999999h"))]
#[case::pod_gc_strategy("spec.podGC.strategy", json!("OnPodCompletion/1h"))]
fn whatever_the_policy(#[case] path: &str, #[case] value: Value) {
    check_never(&manifest(), path, value, path);
}

/// What must be told before the run: a value that is not what it should be is no way around.
#[rstest]
#[case::privileged("container.securityContext.privileged", json!("true"))]
#[case::privileged_by_a_parameter("container.securityContext.privileged", json!("{{inputs.parameters.x}}"))]
#[case::user("container.securityContext.runAsUser", json!("0"))]
#[case::user_by_a_parameter("container.securityContext.runAsUser", json!("{{inputs.parameters.x}}"))]
#[case::account_by_a_parameter("serviceAccountName", json!("{{inputs.parameters.x}}"))]
#[case::executor_account_by_a_parameter("executor.serviceAccountName", json!("{{=x}}"))]
#[case::account_as_number("serviceAccountName", json!(7))]
fn that_cannot_be_judged(#[case] field: &str, #[case] value: Value) {
    let path = format!("{STEP}.{field}");
    check_never(&manifest(), &path, value, &path);
}

#[rstest]
#[case::no_service_account("spec.serviceAccountName", json!(""))]
#[case::service_account_of_kfp("spec.serviceAccountName", json!("pipeline-runner"))]
#[case::default_service_account("spec.serviceAccountName", json!("default-editor"))]
#[case::default_of_a_template("spec.templates[2].serviceAccountName", json!("default-editor"))]
#[case::no_token("spec.automountServiceAccountToken", json!(false))]
#[case::no_host_network("spec.hostNetwork", json!(false))]
#[case::null("spec.hostNetwork", json!(null))]
#[case::dns("spec.dnsPolicy", json!("None"))]
#[case::not_privileged("spec.templates[2].container.securityContext.privileged", json!(false))]
#[case::user("spec.templates[2].container.securityContext.runAsUser", json!(1000))]
#[case::seccomp("spec.securityContext.seccompProfile", json!({"type": "RuntimeDefault"}))]
#[case::mutex("spec.synchronization", json!({"mutexes": [{"name": "mine"}]}))]
#[case::suspend("spec.templates[1].suspend", json!({"duration": "10"}))]
#[case::script("spec.templates[2].script", json!({"image": "alpine", "command": ["sh"], "source": "true"}))]
#[case::what_go_writes("metadata.creationTimestamp", json!(null))]
#[case::no_status("status", json!({"startedAt": null, "finishedAt": null}))]
#[case::pod_gc("spec.podGC", json!({"strategy": "OnPodSuccess", "deleteDelayDuration": "1m30s"}))]
#[case::claim("spec.volumeClaimTemplates[0]", json!({
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}))]
#[case::git("spec.templates[2].inputs.artifacts[0]", json!({
    "name": "source", "path": "/src", "git": {"repo": "https://example.com/r.git", "passwordSecret": {"name": "g", "key": "p"}},
}))]
fn what_is_harmless(#[case] path: &str, #[case] value: Value) {
    check_taken(&manifest(), path, value);
}
