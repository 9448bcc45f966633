"""Where schedules are tried with the SDK: a server, its tenants, and what they make there."""
import json
import time
import uuid
from pathlib import Path

import kfp

import rest
import specs
from harness.server import Server
from scheduling import outcome
from scheduling.plan import CHEAP, seconds

SLOW = specs.spec("slow", "sleep 2")


class Bench:
    """One experiment of one user, who calls with the SDK and over REST."""

    def __init__(self, server: Server, user: str = "jane@example.com", namespace: str = "jane-doe"):
        self.server, self.namespace = server, namespace
        self.secret = server.secret(user)
        self.rest = rest.Rest(server.host, self.secret)
        self.sdk = kfp.Client(host=server.host, existing_token=self.secret, namespace=namespace)
        self.experiment = self.rest.experiment(f"bench-{uuid.uuid4().hex[:8]}", namespace)
        folder = Path(server.folder) / self.experiment
        folder.mkdir()
        self.cheap, self.slow = folder / "cheap.yaml", folder / "slow.yaml"
        # JSON is YAML.
        self.cheap.write_text(json.dumps(CHEAP))
        self.slow.write_text(json.dumps(SLOW))

    def make(self, name: str, **given) -> str:
        """The id of a recurring run that the SDK makes, of the cheap pipeline unless another one is given."""
        given = {"pipeline_package_path": str(self.cheap)} | given
        return self.sdk.create_recurring_run(experiment_id=self.experiment, job_name=name, **given).recurring_run_id

    def ticks(self, id_: str, kind: str = "FIRED") -> list:
        return [tick for tick in outcome.ticks(self.rest, id_) if tick["outcome"] == kind]

    def runs(self, id_: str) -> list:
        """The first first."""
        return sorted(outcome.runs(self.rest, self.read(id_)), key=lambda run: seconds(run["scheduled_at"]))

    def read(self, id_: str) -> dict:
        return self.rest.ok("GET", f"/apis/v2beta1/recurringruns/{id_}")

    def schedule(self, id_: str) -> dict:
        return self.rest.ok("GET", f"/apis/bulkhead/v1/schedules/{id_}")

    def fired(self, id_: str, times: int, within: float = 20) -> list:
        """Waits until it has fired as often."""
        return until(lambda: (found := self.ticks(id_)) and len(found) >= times and found, within, f"{times} runs of {id_}")

    def rest_of(self, *ids: str) -> None:
        """Disables them, and waits for their runs to end."""
        for id_ in ids:
            self.sdk.disable_recurring_run(id_)
        for id_ in ids:
            until(lambda id_=id_: all(run["state"] in rest.ENDED for run in self.runs(id_)), 30, f"the end of the runs of {id_}")


def until(what, within: float = 20, of: str = "it"):
    """What a call gives as soon as that is something."""
    deadline = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < deadline, f"{of} took more than {within} s"
        time.sleep(0.1)
    return found
