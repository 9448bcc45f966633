"""Whom runs are made for, and what happens when they may not make them any more."""
import json
import os
import subprocess

import rest
from harness.server import BINARY, Server
from scheduling import outcome
from scheduling.bench import Bench, until
from scheduling.plan import Plan, seconds

EDNA = "edna@example.com"
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "edna-edits", "namespace": "jane-doe"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "kubeflow-edit"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": EDNA}],
}


def grant(server: Server) -> None:
    (server.profiles / "edna.yaml").write_text(json.dumps(BINDING))


def withdrawn(bench: Bench) -> str:
    """A right that the owner lost is missed at the next moment; where it is back, so are the runs."""
    edna = Bench(bench.server, EDNA)
    id_ = edna.make("ednas", interval_second=1, max_concurrency=10)
    edna.fired(id_, 2)
    (bench.server.profiles / "edna.yaml").unlink()
    try:
        told(bench, id_)
    finally:
        grant(bench.server)
    fired = len(bench.ticks(id_))
    bench.fired(id_, fired + 2)
    assert "error" not in bench.read(id_) and "error" not in bench.schedule(id_), bench.read(id_)
    bench.rest_of(id_)
    counts = outcome.check(bench.rest, Plan(1, at_once=10), id_, refused=True)
    assert counts["REFUSED"], counts
    assert all(run["created_by"] == EDNA for run in bench.runs(id_))
    return f"{counts['REFUSED']} moments refused to who had lost a right"


def told(bench: Bench, id_: str) -> None:
    """Whoever may see the recurring run sees why it makes no runs. That is Jane, since Edna may not."""
    refused = until(lambda: bench.ticks(id_, "REFUSED"))[0]
    found = until(lambda: (found := bench.read(id_)).get("error") and found)
    assert (found["error"]["code"], found["status"]) == (7, "ENABLED") and EDNA in found["error"]["message"], found
    assert refused["reason"] == found["error"]["message"] and EDNA in refused["reason"], (refused, found)
    assert EDNA in bench.rest.ok("GET", f"/apis/v1beta1/jobs/{id_}")["error"], found
    schedule = bench.schedule(id_)
    assert (schedule["owner"], schedule["error"]) == (EDNA, found["error"]) and schedule["error_since"], schedule
    assert "refused" in said(bench, id_) and refused["reason"] in said(bench, id_), said(bench, id_)


def revoked(bench: Bench) -> str:
    """With the token that it was made with ends what it makes; who enables it again is its owner."""
    edna = Bench(bench.server, EDNA)
    token = edna.rest.ok("GET", "/apis/bulkhead/v1/whoami")["proof"].split()[-1]
    id_ = edna.make("by-token", interval_second=1, max_concurrency=10)
    edna.fired(id_, 1)
    bench.server.command("token", "revoke", token)
    refused = until(lambda: bench.ticks(id_, "REFUSED"))[0]
    assert bench.read(id_)["error"]["code"] == 7 and EDNA in refused["reason"], (refused, bench.read(id_))
    bench.sdk.enable_recurring_run(id_)
    fired = len(bench.ticks(id_))
    bench.fired(id_, fired + 2)
    assert bench.schedule(id_)["owner"] == "jane@example.com" and "error" not in bench.read(id_), bench.schedule(id_)
    bench.rest_of(id_)
    assert [run["created_by"] for run in bench.runs(id_)][-1] == "jane@example.com", bench.runs(id_)[-1]
    return "none by a revoked token"


def paced(bench: Bench) -> str:
    """What would fire too often for its namespace is refused at once; elsewhere it is not."""
    john = Bench(bench.server, "john@example.com", "john-roe")
    for given in ({"interval_second": 30}, {"cron_expression": "*/30 * * * * *"}, {"cron_expression": "0,59 0 * * * *"}):
        try:
            made = john.make("hasty", **given)
        except Exception as error:  # the class is the generated client's
            assert error.status == 400 and "schedules.min_interval" in error.body, error
        else:
            raise AssertionError(f"{given} was not refused: {made}")
    john.make("steady", interval_second=60)
    john.make("yearly", cron_expression="@yearly")
    listed = said(john)
    assert "steady" in listed and "yearly" in listed and "NEXT" in listed and "hasty" not in listed, listed
    return "no more often than configured"


def full(bench: Bench) -> str:
    """Where a quota is used up the moment waits, and says so, until there is room."""
    sam = Bench(bench.server, "sam@example.com", "sam-blue")
    id_ = sam.make("full", interval_second=1, max_concurrency=10)
    sam.fired(id_, 2)
    found = until(lambda: (found := sam.read(id_)).get("error") and found)
    assert found["error"]["code"] == 8 and "stored_runs" in found["error"]["message"], found
    assert "stored_runs" in said(sam, id_) and len(sam.ticks(id_)) == 2, said(sam, id_)
    until(lambda: all(run["state"] in rest.ENDED for run in sam.runs(id_)))
    sam.rest.ok("DELETE", f"/apis/v2beta1/runs/{sam.runs(id_)[0]['run_id']}")
    times = [seconds(tick["fire_time"]) for tick in sam.fired(id_, 3, 45)]
    assert [time - times[0] for time in times] == [0, 1, 2], f"a moment is lost: {times}"
    assert not sam.ticks(id_, "REFUSED") and not sam.ticks(id_, "MISSED"), said(sam, id_)
    sam.sdk.delete_recurring_run(id_)
    return "in turn where there was no room"


def said(bench: Bench, id_: str = "") -> str:
    """What `bulkhead schedules` prints."""
    words = [id_] if id_ else ["--namespace", bench.namespace]
    env = {**os.environ, "BULKHEAD_TOKEN": bench.secret}
    env.pop("KF_PIPELINES_SA_TOKEN_PATH", None)
    done = subprocess.run([str(BINARY), "schedules", *words, "--server", bench.server.host], env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done
    return done.stdout
