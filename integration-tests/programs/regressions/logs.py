"""Logs of tasks, and what else the web UI's server showed of pods."""
from regressions.case import regression
from regressions.stage import UNKNOWN, V1


def paths(run: str, node: str) -> list:
    return [
        f"/apis/{version}/runs/{run}/nodes/{node}/log{query}" for version in ("v1alpha1", "v1beta1")
        for query in ("", "?follow=true")
    ]


@regression("KFP #13684", "api9.3")
def kfp_13684_logs_without_login(stage):
    """KFP #13684 (2.17's run_log_server.go): the log of a run was read by its id, without a login and in any namespace."""
    for node in ("hello", stage.ours["task"]):
        for path in paths(stage.ours["run"], node):
            stage.refused({"jane": 200, "viewer": 200, "john": 404, "stranger": 404} | {who: 401 for who in UNKNOWN}, "GET", path)
            foreign, absent = (stage.call("john", "GET", path.replace(stage.ours["run"], run))
                               for run in (stage.ours["run"], stage.absent))
            assert foreign.text().replace(stage.ours["run"], stage.absent) == absent.text(), (foreign, absent)
    request = {"run_id": stage.ours["run"], "node_id": "hello"}
    stage.rpc_refused({"viewer": "OK", "john": "NOT_FOUND", "nobody": "UNAUTHENTICATED", "wrong": "UNAUTHENTICATED"},
                      "bulkhead.v1.LogService", "ReadLog", request)


@regression("api9.3", "KFP #12509", "KFP #12528", "KFP #12778")
def api9_3_node_of_another_run(stage):
    """KFP 2.17, run_log_server.go, and KFP #12509, #12528, #12778 in the UI's server: the node was the name of any pod, so
    that an own run, or none, led to the log, the spec and the events of somebody else's."""
    for node in (stage.ours["task"], f"..%2F..%2F{stage.ours['run']}%2F{stage.ours['task']}", "..", "%2e%2e", "hello%00", "*",
                 "%25"):
        for path in paths(stage.theirs["run"], node):
            stage.refused({"john": (400, 404), "nobody": 401}, "GET", path)
        assert stage.call("john", "GET",
                          f"{V1}/runs/{stage.theirs['run']}/nodes/{node}/artifacts/greeting:read").status in (400, 404)
    foreign, absent = (stage.call("john", "GET",
                                  paths(stage.theirs["run"], node)[0]) for node in (stage.ours["task"], stage.absent))
    assert foreign.text().replace(stage.ours["task"], stage.absent) == absent.text(), (foreign, absent)
    # The paths of the UI's server are none here.
    for path in ("/k8s/pod?podname=x&podnamespace=jane-doe", "/k8s/pod/events?podname=x&podnamespace=jane-doe",
                 "/k8s/pod/logs?podname=x"):
        stage.refused({"john": (401, 404), "nobody": (401, 404)}, "GET", path)
