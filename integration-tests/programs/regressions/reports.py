"""What agents beside other engines tell."""
import json

from regressions.case import regression
from regressions.stage import API1, API2, JANES, JOHNS, UNKNOWN, V1, V2


def workflow(namespace: str, run: str, name: str = "planted", owner: str = "", labels=None, phase: str = "Succeeded") -> dict:
    owners = [{"apiVersion": "kubeflow.org/v1beta1", "kind": "ScheduledWorkflow", "name": "theirs", "uid": owner}] if owner else []
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {}, "status": {"phase": phase},
            "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "creationTimestamp": "2026-01-02T03:04:05Z",
                         "labels": {"pipeline/runid": run, **(labels or {})}, "ownerReferences": owners}}


def sent(value: dict) -> str:
    """A report is a JSON string with JSON in it."""
    return json.dumps(json.dumps(value))


@regression("KFP #8074")
def kfp_8074_reports_without_a_right(stage):
    """KFP #8074 (#9699): workflows were reported by callers whom nobody had authenticated, and so the state and the manifest
    of any run were rewritten."""
    before = stage.ok("jane", "GET", f"{V2}/runs/{stage.ours['run']}")
    report = workflow(JANES, stage.ours["run"], phase="Failed")
    for version in (V1, V2):
        for kind in ("workflows", "scheduledworkflows"):
            who = {who: 401 for who in UNKNOWN} | {who: 403 for who in ("jane", "john", "viewer", "publisher", "stranger")}
            stage.refused(who, "POST", f"{version}/{kind}", sent(report), headers={"Content-Type": "application/json"})
    for service, method in ((f"{API1}.ReportService", "ReportWorkflowV1"), (f"{API2}.ReportService", "ReportWorkflow")):
        stage.rpc_refused({"nobody": "UNAUTHENTICATED", "jane": "PERMISSION_DENIED", "john": "PERMISSION_DENIED"}, service, method,
                          {"workflow": json.dumps(report)})
    assert stage.ok("jane", "GET", f"{V2}/runs/{stage.ours['run']}") == before


@regression("KFP #7818")
def kfp_7818_metrics_and_artifacts_without_login(stage):
    """KFP #7818 (#9957): metrics of any run were reported, and its artifacts read, by whoever reached the port."""
    metrics = {"metrics": [{"name": "accuracy", "node_id": "hello", "number_value": 1, "format": "RAW"}]}
    who = {who: 401 for who in UNKNOWN} | {"john": 404, "stranger": 404}
    stage.refused(who | {"viewer": 403}, "POST", f"{V1}/runs/{stage.ours['run']}:reportMetrics", metrics)
    stage.rpc_refused({"nobody": "UNAUTHENTICATED", "john": "NOT_FOUND", "viewer": "PERMISSION_DENIED"}, f"{API1}.RunService",
                      "ReportRunMetricsV1", {"run_id": stage.ours["run"], **metrics})
    for version in (V1, V2):
        stage.refused(who | {"viewer": 200}, "GET", f"{version}/runs/{stage.ours['run']}/nodes/hello/artifacts/greeting:read")
    stage.rpc_refused({"nobody": "UNAUTHENTICATED", "john": "NOT_FOUND", "viewer": "OK"}, "bulkhead.v1.ArtifactService",
                      "ReadArtifact", {"run_id": stage.ours["run"], "node_id": "hello", "artifact_name": "greeting"})
    assert "metrics" not in stage.ok("jane", "GET", f"{V1}/runs/{stage.ours['run']}")["run"]


@regression("api9.7")
def api9_7_report_with_the_label_of_a_foreign_run(stage):
    """KFP 2.17, resource_manager.go: a report was believed as to its namespace and labels, so that who writes a workflow in
    one namespace, and labels it with a run of another, had that run overwritten."""
    before = stage.ok("jane", "GET", f"{V2}/runs/{stage.ours['run']}")
    # An engine's run of Jane's, which may be reported on from her namespace only.
    engines = "11111111-1111-4111-8111-111111111111"
    json_ = {"Content-Type": "application/json"}
    stage.refused({"reporter": 200}, "POST", f"{V1}/workflows",
                  sent(workflow(JANES, engines, "engines", stage.ours["recurring"], phase="Running")), headers=json_)
    reported = stage.ok("jane", "GET", f"{V2}/runs/{engines}")
    for version in (V1, V2):
        for run in (stage.ours["run"], engines):
            for namespace, owner in ((JOHNS, ""), (JOHNS, stage.theirs["recurring"]), (JOHNS, stage.ours["recurring"]),
                                     ("no-tenant", "")):
                answer = stage.call("reporter", "POST", f"{version}/workflows",
                                    sent(workflow(namespace, run, "engines", owner, phase="Failed")), headers=json_)
                assert 400 <= answer.status < 500, (namespace, owner, run, answer)
        failed = sent(workflow(JANES, stage.ours["run"], phase="Failed"))
        stage.refused({"reporter": 400}, "POST", f"{version}/workflows", failed, headers=json_)
    assert stage.ok("jane", "GET", f"{V2}/runs/{stage.ours['run']}") == before
    assert stage.ok("jane", "GET", f"{V2}/runs/{engines}") == reported
    stage.refused({"john": 404}, "GET", f"{V2}/runs/{engines}")


@regression("api9.17")
def api9_17_schedules_of_one_name_in_two_namespaces(stage):
    """KFP 2.17, workflow_client.go of the schedule controller: workflows were counted by the schedule's name in all
    namespaces, so that one with the same name stalled another tenant's schedule."""
    json_ = {"Content-Type": "application/json"}
    before = stage.ok("jane", "GET", f"{V2}/recurringruns/{stage.ours['recurring']}")
    runs = stage.ok("jane", "GET", f"{V2}/runs", query={"namespace": JANES, "page_size": 200})["total_size"]
    label = {"scheduledworkflows.kubeflow.org/scheduledWorkflowName": "theirs"}
    mine = "22222222-2222-4222-8222-222222222222"
    stage.refused({"reporter": 200}, "POST", f"{V1}/workflows",
                  sent(workflow(JOHNS, mine, "named-alike", stage.theirs["recurring"], label)), headers=json_)
    assert stage.ok("john", "GET", f"{V2}/runs/{mine}")["recurring_run_id"] == stage.theirs["recurring"]
    stage.refused({"jane": 404}, "GET", f"{V2}/runs/{mine}")
    # In the name of Jane's schedule, from another namespace.
    other = "33333333-3333-4333-8333-333333333333"
    answer = stage.call("reporter", "POST", f"{V1}/workflows",
                        sent(workflow(JOHNS, other, "borrowed", stage.ours["recurring"], label)), headers=json_)
    assert 400 <= answer.status < 500, answer
    for who in ("jane", "john"):
        stage.refused({who: 404}, "GET", f"{V2}/runs/{other}")
    assert stage.ok("jane", "GET", f"{V2}/recurringruns/{stage.ours['recurring']}") == before
    assert stage.ok("jane", "GET", f"{V2}/runs", query={"namespace": JANES, "page_size": 200})["total_size"] == runs
