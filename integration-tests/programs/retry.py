"""A failed run that is retried, over both versions of the API.

It proves that what has succeeded is not run again, that what failed is and then succeeds, that the history tells it,
that a run which did not fail cannot be retried, and that nobody else can do it.
"""
import os
import time

import rest

tag, jane, john = f"retry-{time.time_ns():x}", rest.jane(), rest.john()
experiment = jane.experiment(tag)
pipeline = jane.pipeline("early", tag)


def tasks(run):
    return {task["display_name"]: task for task in run["run_details"]["task_details"]}


for path in ("/apis/v2beta1/runs/{}:retry", "/apis/v1beta1/runs/{}/retry"):
    # The moment must not have come when the task runs; a busy machine gets more time.
    for seconds in (6, 20, 60):
        moment = time.time() + seconds
        run = jane.run(experiment, pipeline, tag, {"moment": moment})
        failed = jane.ended(run)
        if failed["state"] == "FAILED":
            break
    assert failed["state"] == "FAILED" and "too early" in str(failed["error"]), failed
    assert john.call("POST", path.format(run)).status == 404
    time.sleep(max(0, moment - time.time()))
    assert jane.ok("POST", path.format(run)) == {}
    ended = jane.ended(run)
    states = [change["state"] for change in ended["state_history"]]
    assert ended["state"] == "SUCCEEDED", ended
    assert states == ["PENDING", "RUNNING", "FAILED", "PENDING", "RUNNING", "SUCCEEDED"], states
    assert "error" not in ended and ended["finished_at"] >= failed["finished_at"], ended
    before, after = tasks(failed), tasks(ended)
    assert before["give"] == after["give"], (before["give"], after["give"])
    assert after["wait-for"]["state"] == "SUCCEEDED" and "error" not in after["wait-for"], after["wait-for"]
    again = jane.call("POST", path.format(run))
    assert (again.status, again.json()["code"]) == (409, 10), again.text()

print("retried over both versions; the task that had succeeded stayed as it was")
