"""Clients that make, read, archive and delete, each things of its own."""
import http.client
import json
import random
import threading
import time

import rest
from soaking.journal import ABSENT, ARCHIVED, AVAILABLE, Journal, Thing

# Things of a kind that a worker keeps before it deletes more than it makes.
KEPT = 25
BREATH = 0.01
SPEC = {
    "pipelineInfo": {"name": "soak"}, "schemaVersion": "2.1.0",
    "deploymentSpec": {"executors": {"exec": {"container": {"image": "none", "command": ["true"]}}}},
    "components": {"comp-noop": {"executorLabel": "exec"}},
    # Left out by its condition: a run of it ends at once.
    "root": {"dag": {"tasks": {"noop": {"componentRef": {"name": "comp-noop"}, "taskInfo": {"name": "noop"},
                                        "triggerPolicy": {"condition": "1 == 2"}}}}},
}
V2 = "/apis/v2beta1"


class Worker(threading.Thread):
    """Works from one start of the server to its end, on its own things of before and on new ones."""

    def __init__(self, journal: Journal, who: rest.Rest, namespace: str, name: str, phase: int, over: threading.Event):
        super().__init__(daemon=True)
        self.journal, self.who, self.namespace, self.over = journal, who, namespace, over
        self.prefix, self.made = f"{name}-{phase}", 0
        self.random = random.Random(self.prefix)
        self.own = [thing for thing in journal.things.values()
                    if thing.namespace == namespace and thing.name.startswith(f"{name}-")]

    def run(self) -> None:
        moves = (self.experiment, self.experiment, self.run_of, self.run_of, self.run_of, self.pipeline, self.box,
                 self.turn, self.turn, self.delete, self.delete, self.read, self.read)
        while not self.over.is_set():
            self.random.choice(moves)()
            time.sleep(BREATH)

    def new(self, kind: str, **more) -> Thing:
        self.made += 1
        thing = Thing(kind, self.namespace, f"{self.prefix}-{self.made}", {ABSENT}, **more)
        self.own.append(thing)
        return self.journal.begin(thing)

    def those(self, kind: str, state: str) -> list:
        return [thing for thing in self.own if thing.kind == kind and thing.known() == state and thing.id]

    def experiment(self, box: bool = False) -> Thing | None:
        if not box and len(self.those("experiments", AVAILABLE)) > KEPT:
            return None
        thing = self.new("experiments", box=box)
        body = {"display_name": thing.name, "namespace": self.namespace}
        answer = self.journal.ask(thing, AVAILABLE, lambda: self.who.call("POST", f"{V2}/experiments", body))
        if answer:
            thing.id = answer.json()["experiment_id"]
        return thing if answer else None

    def run_of(self, experiment: Thing | None = None) -> None:
        if experiment is None:
            there = [each for each in self.those("experiments", AVAILABLE) if not each.box]
            if not there or len(self.those("runs", AVAILABLE)) > KEPT:
                return
            experiment = self.random.choice(there)
        thing = self.new("runs", parent=experiment)
        body = {"display_name": thing.name, "experiment_id": experiment.id, "pipeline_spec": SPEC}
        answer = self.journal.ask(thing, AVAILABLE, lambda: self.who.call("POST", f"{V2}/runs", body))
        if answer:
            thing.id = answer.json()["run_id"]

    def pipeline(self) -> None:
        if len(self.those("pipelines", AVAILABLE)) > KEPT:
            return
        thing = self.new("pipelines")
        query = {"name": thing.name, "namespace": self.namespace}
        content = json.dumps(SPEC).encode()
        answer = self.journal.ask(thing, AVAILABLE, lambda: self.who.upload(f"{V2}/pipelines/upload", content, query=query))
        if answer:
            thing.id = answer.json()["pipeline_id"]

    def box(self) -> None:
        """An experiment with two runs, which is archived, and they with it."""
        if len(self.those("experiments", ARCHIVED)) > KEPT or not (box := self.experiment(box=True)):
            return
        self.run_of(box)
        self.run_of(box)
        runs = [thing for thing in self.own if thing.parent is box]
        for run in runs:
            run.may |= {ARCHIVED}
        answer = self.journal.ask(box, ARCHIVED, lambda: self.who.call("POST", f"{V2}/experiments/{box.id}:archive", {}))
        for run in runs if answer else ():
            run.may = {state for state in run.may if state != AVAILABLE}

    def turn(self) -> None:
        """Archives a run, or brings one back."""
        before, after, verb = self.random.choice(((AVAILABLE, ARCHIVED, "archive"), (ARCHIVED, AVAILABLE, "unarchive")))
        if there := [run for run in self.those("runs", before) if not run.parent.box]:
            run = self.random.choice(there)
            self.journal.ask(run, after, lambda: self.who.call("POST", f"{V2}/runs/{run.id}:{verb}", {}))

    def delete(self) -> None:
        kind = self.random.choice(("runs", "runs", "experiments", "pipelines"))
        there = self.those(kind, AVAILABLE) + self.those(kind, ARCHIVED)
        if kind == "experiments":
            # Its runs would outlive it.
            full = {thing.parent.name for thing in self.own if thing.parent and thing.known() != ABSENT}
            there = [thing for thing in there if thing.name not in full]
        if there:
            thing = self.random.choice(there)
            query = {"cascade": "true"} if kind == "pipelines" else None
            self.journal.ask(thing, ABSENT, lambda: self.who.call("DELETE", f"{V2}/{kind}/{thing.id}", query=query))

    def read(self) -> None:
        """What was acknowledged is there at once."""
        kind = self.random.choice(("runs", "experiments", "pipelines"))
        if not (there := self.those(kind, AVAILABLE)):
            return
        thing = self.random.choice(there)
        try:
            answer = self.who.call("GET", f"{V2}/{kind}/{thing.id}")
        except (OSError, http.client.HTTPException):
            return
        if answer.status not in (200, 429, 503, 504):
            with self.journal.lock:
                self.journal.wrong.append(f"reading {thing}: {answer.status} {answer.text()[:300]}")
