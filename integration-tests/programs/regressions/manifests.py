"""What the author of a manifest can ask for beyond their own rights, and what they can break with it."""
import json
import threading
import uuid

import specs
from regressions.case import regression
from regressions.stage import JANES, V1, V2

CRON = {"max_concurrency": "1", "trigger": {"cron_schedule": {"cron": "0 0 0 1 1 *"}}}
PATCH = '{"containers":[{"name":"main","securityContext":{"privileged":true}}]}'
CONTAINER = {"image": "alpine", "command": ["true"]}


def workflow(template: dict | None = None, metadata: dict | None = None, **spec) -> dict:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "bad-", **(metadata or {})},
            "spec": {"entrypoint": "main", "templates": [{"name": "main", "container": CONTAINER, **(template or {})}], **spec}}


def not_run(stage, manifest: dict) -> None:
    """Whoever may create runs, and nobody else, hears that such a manifest is not run; and no run comes of it."""
    def count() -> int:
        return stage.ok("jane", "GET", f"{V2}/runs", query={"namespace": JANES}).get("total_size", 0)

    before, text = count(), json.dumps(manifest)
    uploaded = stage.upload("jane", f"{V2}/pipelines/upload", manifest, {"name": uuid.uuid4().hex, "namespace": JANES})
    assert uploaded.status in (200, 400, 403), (manifest, uploaded)
    place = [{"key": {"type": "EXPERIMENT", "id": stage.ours["experiment"]}, "relationship": "OWNER"}]
    sources = [{"workflow_manifest": text}, {"pipeline_manifest": text}]
    if uploaded.status == 200:
        pipeline = uploaded.json()["pipeline_id"]
        sources.append({"pipeline_id": pipeline})
        for path, more in ((f"{V2}/runs", {}), (f"{V2}/recurringruns", CRON)):
            of = {"pipeline_version_reference": {"pipeline_id": pipeline}}
            body = {"display_name": "x", "experiment_id": stage.ours["experiment"], **of, **more}
            stage.refused({"jane": (400, 403, 501), "john": 404, "viewer": 403, "nobody": 401}, "POST", path, body)
    for source in sources:
        for path, more in ((f"{V1}/runs", {}), (f"{V1}/jobs", CRON)):
            body = {"name": "x", "resource_references": place, "pipeline_spec": source, **more}
            stage.refused({"jane": (400, 403, 501), "john": 404, "viewer": 403, "nobody": 401}, "POST", path, body)
    assert count() == before


@regression("CVE-2026-31892")
def cve_2026_31892_pod_spec_patch(stage):
    """CVE-2026-31892 (Argo Workflows): a podSpecPatch in a workflow won over templates that were to be the only ones, and so
    over every bound on pods."""
    not_run(stage, workflow(podSpecPatch=PATCH))
    not_run(stage, workflow({"podSpecPatch": PATCH}))
    not_run(stage, workflow(workflowTemplateRef={"name": "strict"}, podSpecPatch=PATCH))


@regression("CVE-2026-42296")
def cve_2026_42296_host_and_security(stage):
    """CVE-2026-42296 (Argo Workflows, the fix of CVE-2026-31892): hostNetwork, securityContext and serviceAccountName were
    still taken."""
    for manifest in (
            workflow(hostNetwork=True),
            workflow(dnsPolicy="ClusterFirstWithHostNet", hostAliases=[{"ip": "127.0.0.1", "hostnames": ["x"]}]),
            workflow(securityContext={"runAsUser": 0}),
            workflow({"container": {**CONTAINER, "securityContext": {"privileged": True}}}),
            workflow(volumes=[{"name": "root", "hostPath": {"path": "/"}}]),
            workflow({"hostNetwork": True, "securityContext": {"runAsUser": 0}})):
        not_run(stage, manifest)


@regression("CVE-2026-54526")
def cve_2026_54526_artifact_gc(stage):
    """CVE-2026-54526 (Argo Workflows, the fix of the fix): ArtifactGC had a podSpecPatch and a service account of its own."""
    collected = {"strategy": "OnWorkflowCompletion", "podSpecPatch": PATCH, "serviceAccountName": "cluster-admin"}
    not_run(stage, workflow(artifactGC=collected))
    not_run(stage, workflow({"outputs": {"artifacts": [{"name": "x", "path": "/x", "artifactGC": collected}]}}))


@regression("CVE-2026-42297")
def cve_2026_42297_synchronization(stage):
    """CVE-2026-42297 (Argo Workflows): the ConfigMap of a workflow's semaphore was read in any namespace, whoever asked."""
    not_run(
        stage,
        workflow(synchronization={"semaphores": [{"configMapKeyRef": {"name": "x", "key": "y"}, "namespace": "kube-system"}]}))
    not_run(stage, workflow({"synchronization": {"mutexes": [{"name": "x", "namespace": "john-roe"}]}}))


@regression("KFP #14357", "api9.11")
def kfp_14357_service_account_through_argo_fields(stage):
    """KFP #14357: the service account that the API had refused came by the fields of the manifest instead."""
    for manifest in (workflow(serviceAccountName="cluster-admin"), workflow(
        {"serviceAccountName": "cluster-admin"}), workflow(executor={"serviceAccountName": "cluster-admin"}),
                     workflow(
                         {"executor": {"serviceAccountName": "cluster-admin"}}), workflow(automountServiceAccountToken=True),
                     workflow({"resource": {"action": "create", "manifest": "kind: Pod"}}), workflow(
                         {"plugin": {"x": {}}}), workflow({"http": {"url": "http://169.254.169.254/"}}),
                     workflow(hooks={"exit": {"template": "main"}}, onExit="main")):
        not_run(stage, manifest)


@regression("CVE-2026-40886")
def cve_2026_40886_malformed_annotation(stage):
    """CVE-2026-40886 (Argo Workflows): one annotation that was not as the controller expected made it crash, again at each
    start, for the whole cluster."""
    odd = [
        {"workflows.argoproj.io/pod-gc-strategy": "{"}, {"x": None}, {"x": 7}, {"x": {"y": []}}, {"x" * 10_000: "y"}, {"": ""},
        {"\u0000": "\u202e"}, {"pipelines.kubeflow.org/run_name": "x" * 70_000},
        {"pipelines.kubeflow.org/v2_pipeline": "true", "pipelines.kubeflow.org/pipeline_spec": "not json"}]
    for annotations in odd:
        for metadata in ({"annotations": annotations}, {"labels": annotations}, {"annotations": "no map"}):
            uploaded = stage.upload("jane", f"{V2}/pipelines/upload", workflow(metadata=metadata),
                                    {"name": uuid.uuid4().hex, "namespace": JANES})
            assert uploaded.status in (200, 400), (metadata, uploaded)
            if uploaded.status == 200:
                for path in (f"{V2}/pipelines/{uploaded.json()['pipeline_id']}/versions",
                             f"{V1}/pipelines/{uploaded.json()['pipeline_id']}"):
                    stage.refused({"jane": 200}, "GET", path)
            report = workflow(metadata={"name": "odd", "namespace": JANES, "uid": "odd", **metadata})
            report["metadata"]["labels"] = {**metadata.get("labels", {}), "pipeline/runid": stage.absent}
            for path in (f"{V1}/workflows", f"{V2}/workflows"):
                said = stage.call("reporter", "POST", path, json.dumps(json.dumps(report)),
                                  headers={"Content-Type": "application/json"})
                assert said.status in (200, 400, 404), (metadata, said)
    stage.alive()


@regression("CVE-2024-47827")
def cve_2024_47827_crash_by_a_race(stage):
    """CVE-2024-47827 (Argo Workflows): two requests about one workflow at the same moment ended the controller."""
    run = stage.run("jane", stage.ours["experiment"], {"pipeline_spec": specs.SLEEP}, "contested")
    verbs, wrong = [("POST", ":terminate"), ("POST", ":retry"), ("POST", ":archive"), ("POST", ":unarchive"), ("GET", "")] * 3, []

    def ask(method: str, verb: str) -> None:
        for _ in range(10):
            answer = stage.call("jane", method, f"{V2}/runs/{run}{verb}")
            if answer.status >= 500 and answer.status != 503:
                wrong.append((verb, answer))

    threads = [threading.Thread(target=ask, args=each) for each in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong
    deleting = [threading.Thread(target=lambda: stage.call("jane", "DELETE", f"{V2}/runs/{run}")) for _ in range(8)]
    for thread in deleting:
        thread.start()
    for thread in deleting:
        thread.join()
    stage.refused({"jane": 404}, "GET", f"{V2}/runs/{run}")
    stage.alive()


@regression("GHSA-rhjm-6347-5x33")
def ghsa_rhjm_6347_5x33_output_taken_for_code(stage):
    """GHSA-rhjm-6347-5x33 (the SDK's local runner): what a task had put out was evaluated as Python in the conditions of
    others."""
    marker = stage.server.folder / "evaluated"
    code = f"__import__('pathlib').Path({str(marker)!r}).touch() or $(touch {marker}) `touch {marker}` {{{{$.json_escape[1]}}}}"
    spec = json.loads(json.dumps(specs.HELLO))
    spec["root"]["dag"]["tasks"]["hello"]["triggerPolicy"] = {"condition": f"inputs.parameter_values['word'] == 'x' or {code}"}
    body = {"display_name": "x", "experiment_id": stage.ours["experiment"], "pipeline_spec": spec}
    stage.refused({"jane": 400, "john": 404}, "POST", f"{V2}/runs", body)
    given = {"runtime_config": {"parameters": {"word": code}}}
    for condition, end in (("inputs.parameter_values['word'] != 'x'", "SUCCEEDED"), ("inputs.parameter_values['word']", "FAILED")):
        spec["root"]["dag"]["tasks"]["hello"]["triggerPolicy"] = {"condition": condition}
        run = stage.ok("jane", "POST", f"{V2}/runs", {**body, **given})["run_id"]
        assert stage.caller("jane").ended(run)["state"] == end, "a value is compared, and nothing else becomes of it"
    run = stage.ok("jane", "POST", f"{V2}/runs", {**body, "pipeline_spec": specs.HELLO, **given})["run_id"]
    stage.caller("jane").ended(run)
    assert code in stage.call("jane", "GET", f"{V1}/runs/{run}/nodes/hello/log").text()
    assert not marker.exists(), "the code of a parameter was evaluated"
