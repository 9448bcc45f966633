"""The objects of the matrix: those that stand for all cells, and fresh ones for cells that use theirs up."""
import itertools
import time
from dataclasses import replace
from pathlib import Path

import yaml

from matrix.oracle import Thing
from matrix.rbac import DEFAULT_SERVICE_ACCOUNT, SHARED

FILES = Path(__file__).resolve().parents[2] / "scenarios" / "files"
# What every standing object is called, whatever it is and wherever; a role of the manifests names it.
NAME = "the-named"
# The service account that some of the manifests' subjects may use.
ACCOUNT = "training"
PLACES = {"own": "own", "foreign": "foreign", "shared": SHARED}
# What a run or a recurring run may have of others.
FLAVOURS = ("with another service account", "of a foreign pipeline", "of a shared pipeline", "of a pipeline that is gone")
ENDED = {"SUCCEEDED", "FAILED"}
SECONDS = 60
# A trigger that is never due.
NEVER = {"cron_schedule": {"cron": "0 0 0 1 1 *", "start_time": "2100-01-01T00:00:00Z"}}


def text(name: str) -> str:
    return (FILES / f"{name}.yaml").read_text()


class World:
    def __init__(self, http, maker):
        """`maker` may do everything everywhere."""
        self.http, self.maker = http, maker
        self.things, self.standing = {}, {}
        self.numbers = itertools.count()
        self.hello = yaml.safe_load(text("hello"))

    def build(self) -> None:
        for place in PLACES:
            pipeline = self.make("pipeline", place, name=NAME)
            self.standing["pipeline", place, ""] = pipeline
            self.standing["pipeline_version", place, ""] = self.make("pipeline_version", place)
        for place in ("own", "foreign"):
            self.standing["experiment", place, ""] = self.make("experiment", place, name=NAME)
        for place in ("own", "foreign"):
            self.standing["run", place, ""] = self.make("run", place)
            self.standing["recurring_run", place, ""] = self.make("recurring_run", place, name=NAME)
        # These are the runs that others read logs and artifacts of. Nothing else is to be executed: a task that takes
        # longer than all cells keeps the only slot that its namespace may have.
        for place in ("own", "foreign"):
            self.until(self.standing["run", place, ""], ENDED)
            self.look_into(place)
        sleep = yaml.safe_load(text("sleep").replace("sleep 300", "sleep 36000"))
        for place in ("own", "foreign"):
            self.until(self.make("run", place, body={"pipeline_spec": sleep}), {"RUNNING"})
        for kind, flavour in itertools.product(("run", "recurring_run"), FLAVOURS):
            self.standing[kind, "own", flavour] = self.make(kind, "own", flavour, name=NAME)

    def look_into(self, place: str) -> None:
        """The task of the run that stands, and the artifact that it has put out."""
        run = self.standing["run", place, ""]
        links = self.call("GET", f"artifact_tasks?run_ids={run.id}")["artifact_tasks"]
        link, = [link for link in links if link["artifact_key"] != "executor-logs"]
        for kind in ("task", "artifact"):
            # To RBAC they are called what their run is.
            thing = Thing(id=link[f"{kind}_id"], kind=kind, place=PLACES[place], name=run.name)
            self.things[thing.id] = self.standing[kind, place, ""] = thing

    def thing(self, kind: str, place: str, flavour: str = "") -> Thing:
        """The one that stands."""
        return self.standing[kind, place, flavour]

    def make(self, kind: str, place: str, flavour: str = "", name: str = "", body: dict | None = None) -> Thing:
        """A fresh one. Its name is one that nothing else has, unless it is given."""
        name = name or self.name()
        thing, answer = getattr(self, kind)(place, flavour, name, body or {})
        thing = Thing(id=answer[f"{kind}_id"], kind=kind, place=PLACES[place], **thing)
        if kind == "run":
            thing = replace(thing, name=thing.id)
        self.things[thing.id] = thing
        return thing

    def name(self) -> str:
        return f"fresh-{next(self.numbers)}"

    def experiment(self, place, flavour, name, body):
        return {"name": name}, self.post("experiments", {"display_name": name, "namespace": PLACES[place]})

    def pipeline(self, place, flavour, name, body):
        home = {} if place == "shared" else {"namespace": PLACES[place]}
        return {"name": name}, self.post("pipelines", {"name": name} | home)

    def pipeline_version(self, place, flavour, name, body):
        pipeline = self.thing("pipeline", place) if not flavour else self.things[flavour]
        answer = self.post(f"pipelines/{pipeline.id}/versions", {"name": name, "pipeline_spec": self.hello})
        return {"name": pipeline.name}, answer

    def run(self, place, flavour, name, body):
        about, source = self.source(flavour)
        body = {"display_name": name, "experiment_id": self.thing("experiment", place).id} | source | body
        answer = self.post("runs", body)
        self.drop(flavour, about)
        return {"name": ""} | about, answer

    def recurring_run(self, place, flavour, name, body):
        about, source = self.source(flavour)
        body = {"display_name": name, "experiment_id": self.thing("experiment", place).id, "max_concurrency": "1",
                "trigger": NEVER} | source | body
        answer = self.post("recurringruns", body)
        self.drop(flavour, about)
        return {"name": name} | about, answer

    def token(self, caller) -> str:
        """The id of a fresh token of theirs."""
        return self.call("POST", "/apis/bulkhead/v1/tokens", {}, caller)["token"]["token_id"]

    def source(self, flavour: str) -> tuple:
        """What a run of that flavour is made of: as the oracle sees it, and as a request says it."""
        if flavour in ("", FLAVOURS[0]):
            account = ACCOUNT if flavour else DEFAULT_SERVICE_ACCOUNT
            return {"service_account": account}, {"pipeline_spec": self.hello, "service_account": account}
        if flavour == FLAVOURS[3]:
            pipeline = self.make("pipeline", "own")
            version = self.make("pipeline_version", "own", pipeline.id)
        else:
            place = "foreign" if flavour == FLAVOURS[1] else "shared"
            pipeline, version = (self.thing(kind, place) for kind in ("pipeline", "pipeline_version"))
        reference = {"pipeline_id": pipeline.id, "pipeline_version_id": version.id}
        return {"pipeline": pipeline.id}, {"pipeline_version_reference": reference}

    def drop(self, flavour: str, about: dict) -> None:
        """Takes the pipeline away that a run of that flavour was made of."""
        if flavour == FLAVOURS[3]:
            self.call("DELETE", f"pipelines/{about['pipeline']}?cascade=true")
            del self.things[about["pipeline"]]

    def end(self, run: Thing) -> None:
        """Has a run that waits fail, so that it can be retried."""
        self.post(f"runs/{run.id}:terminate", {})
        self.until(run, ENDED)

    def until(self, run: Thing, states: set) -> None:
        deadline = time.monotonic() + SECONDS
        while (found := self.call("GET", f"runs/{run.id}")).get("state") not in states:
            assert time.monotonic() < deadline, f"after {SECONDS} s the run is in none of {states}: {found}"
            time.sleep(0.02)

    def seen(self, path: str) -> dict:
        """What is there, or why nothing is."""
        return self.http.call("GET", f"/apis/v2beta1/{path}", self.maker.headers).json()

    def post(self, path: str, body: dict) -> dict:
        return self.call("POST", path, body)

    def call(self, method: str, path: str, body: dict | None = None, caller=None) -> dict:
        path = path if path.startswith("/") else f"/apis/v2beta1/{path}"
        answer = self.http.call(method, path, (caller or self.maker).headers, body)
        assert answer.status == 200, f"{method} {path}: {answer}"
        return answer.json()
