"""Tasks that other engines report."""
import json

from regressions.case import regression
from regressions.stage import API1, JANES, JOHNS, V1

TASKS, SERVICE = "/apis/v1alpha1/tasks", f"{API1}.TaskService"


def task(run: str, **more) -> dict:
    return {"pipelineName": "pipeline/hello", "runId": run, "mlmdExecutionID": "7", "fingerprint": "poison",
            "created_at": "2026-01-02T03:04:05Z", **more}


def place(namespace: str) -> dict:
    return {"resource_reference_key.type": "NAMESPACE", "resource_reference_key.id": namespace}


@regression("KFP #13388", "api9.2")
def kfp_13388_task_service_unscoped(stage):
    """KFP #13388 (reported by huntr, 2.17's task_server.go): tasks were created and listed without a login, and a filter
    for a namespace was dropped in silence, so that all tenants' runs were read."""
    ours = stage.ok("jane", "POST", TASKS, task(stage.ours["run"], fingerprint="janes"))["id"]
    stage.refused({"nobody": 401, "wrong": 401, "john": 403, "stranger": 403, "viewer": 200}, "GET", TASKS, query=place(JANES))
    stage.refused({"nobody": 401, "john": 404, "stranger": 404}, "GET", TASKS, query={"run_id": stage.ours["run"]})
    # Without a place, and with one that is only in the filter.
    everywhere = json.dumps({"predicates": [{"op": "EQUALS", "key": "namespace", "string_value": JANES}]})
    for query in ({}, {"filter": everywhere}, place(""), place("-"), {"resource_reference_key.type": "NAMESPACE"}):
        stage.refused({"nobody": 401, "john": 400, "jane": 400}, "GET", TASKS, query=query)
    found = stage.ok("john", "GET", TASKS, query=place(JOHNS) | {"filter": everywhere})
    assert not found.get("tasks") and not found.get("total_size"), found
    stage.rpc_refused({"nobody": "UNAUTHENTICATED", "john": "INVALID_ARGUMENT"}, SERVICE, "ListTasksV1")
    key = {"resource_reference_key": {"type": "NAMESPACE", "id": JANES}}
    stage.rpc_refused({"nobody": "UNAUTHENTICATED", "john": "PERMISSION_DENIED", "viewer": "OK"}, SERVICE, "ListTasksV1", key)
    assert ours in str(stage.ok("jane", "GET", TASKS, query=place(JANES)))


@regression("api9.2")
def api9_2_cache_of_another_tenant_poisoned(stage):
    """KFP 2.17, task_server.go: whoever knew the id of a run reported a task of it, which that tenant's later runs took
    for a result of their own."""
    before = stage.ok("jane", "GET", TASKS, query=place(JANES))
    for run, who in ((stage.ours["run"], {"nobody": 401, "wrong": 401, "john": 404, "viewer": 403}), (stage.absent, {"john": 404})):
        stage.refused(who, "POST", TASKS, task(run))
    for poison in ({"namespace": JANES}, {"pipelineName": f"namespace/{JANES}/pipeline/hello"}):
        stage.refused({"john": 400}, "POST", TASKS, task(stage.theirs["run"], **poison))
    stage.rpc_refused({"nobody": "UNAUTHENTICATED", "john": "NOT_FOUND"}, SERVICE, "CreateTaskV1",
                      {"task": task(stage.ours["run"])})
    assert stage.ok("jane", "GET", TASKS, query=place(JANES)) == before
    # What is reported is never taken for a result: the next run executes its task by itself.
    run = stage.run("jane", stage.ours["experiment"], {"pipeline_version_reference": {"pipeline_id": stage.ours["pipeline"]}})
    assert stage.caller("jane").ended(run)["state"] == "SUCCEEDED"
    assert "Ahoy" in stage.call("jane", "GET", f"{V1}/runs/{run}/nodes/hello/log").text()
