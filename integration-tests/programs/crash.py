"""A power cut: the server is killed with signal 9 while a pipeline runs, and started again on the same data.

It proves that everything that had been acknowledged is there, unchanged; that the run which was cut short ends FAILED
and says that the server restarted; that a task with an attempt left is tried again and succeeds; and that no process of
the time before is left over.
"""
import http.client
import os
import threading
import time
import uuid
from pathlib import Path

import processes
import rest
from harness.server import Server

marker = f"crash-{uuid.uuid4().hex[:12]}"
server = Server(Path(os.environ["SCRATCH"]) / "server").start()
token = server.token("jane@example.com").read_text().strip()
try:
    jane = rest.Rest(server.host, token)
    experiment = jane.experiment(marker)
    cut = jane.run(experiment, jane.pipeline("nap", f"cut-{marker}"), "cut", {"marker": f"{marker}-cut"})
    retried = jane.run(experiment, jane.pipeline("stubborn", f"retried-{marker}"), "retried", {"marker": f"{marker}-retried", "seconds": 12})
    ended = jane.run(experiment, jane.pipeline("words", f"ended-{marker}"), "ended")
    jane.ended(ended)
    for name in ("cut", "retried"):
        processes.wait_for_some(f"{marker}-{name}-asleep", least=2)

    # Somebody keeps making experiments until the very end; what was answered with 200 has to survive.
    acknowledged, failures = [experiment], []

    def keep_creating():
        for number in range(100_000):
            try:
                acknowledged.append(jane.experiment(f"{number}-{marker}"))
            except (OSError, http.client.HTTPException):
                return  # the server is gone, as it has to be
            except Exception as error:
                failures.append(error)
                return

    creator = threading.Thread(target=keep_creating)
    creator.start()
    paths = [f"/apis/v2beta1/experiments/{experiment}", f"/apis/v2beta1/runs/{ended}"]
    paths += [f"/apis/v2beta1/pipelines/{p['pipeline_id']}" for p in
              jane.ok("GET", "/apis/v2beta1/pipelines", query={"namespace": "jane-doe"})["pipelines"]]
    paths += [f"{path}/versions" for path in paths if "/pipelines/" in path]
    before = {path: jane.ok("GET", path) for path in paths}
    while len(acknowledged) < 50:
        assert creator.is_alive(), failures
        time.sleep(0.05)
    server.kill()
    creator.join()
    assert not failures, failures

    server.start()
    jane = rest.Rest(server.host, token)
    assert {path: jane.ok("GET", path) for path in paths} == before
    lost = [id_ for id_ in acknowledged if jane.call("GET", f"/apis/v2beta1/experiments/{id_}").status != 200]
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged experiments are lost: {lost[:5]}"

    run = jane.ended(cut, seconds=60)
    assert run["state"] == "FAILED", run
    why = str(run.get("error")) + str([task.get("error") for task in run["run_details"]["task_details"]])
    assert "restart" in why.lower(), why
    processes.wait_for_none(f"{marker}-cut")
    run = jane.ended(retried, seconds=120)
    assert run["state"] == "SUCCEEDED", run
    processes.wait_for_none(marker)

    # And it goes on as if nothing had been.
    again = jane.run(experiment, jane.pipeline("words", f"again-{marker}"), "again")
    assert jane.ended(again)["state"] == "SUCCEEDED"
    server.stop()
finally:
    server.kill()
print(f"{len(acknowledged)} experiments and {len(paths)} answers survived; the run that was cut short: {why}")
