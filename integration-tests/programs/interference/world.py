"""A world is a server with a data folder of its own; a seat is a tenant's place in it."""
import http.client
import json
import threading
import time
import urllib.parse
from dataclasses import dataclass

from harness.server import Server
from interference.normal import WORLDS, Normaliser
from interference.request import Request, at, filled, wire

# Enough for all tasks that anybody starts, since how long a task waits for its turn is no part of an answer. Quotas are
# so small that they are used up at times.
CONFIG = {"executor": {"max_tasks": 200}, "log": {"level": "warn"},
          "quotas": {"pipelines": 5, "stored_runs": 5, "recurring_runs": 2, "active_runs": 3}}
ENDED = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"}
REST_SECONDS = 120
NEVER = "1970-01-01T00:00:00Z"


@dataclass
class Answer:
    status: int
    headers: list
    body: bytes

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Seat:
    """A tenant in one world: their credentials, and what is what there."""

    def __init__(self, server: Server, user: str, foreign: set):
        self.address = urllib.parse.urlsplit(server.host).netloc
        self.secret = server.token(user).read_text().strip()
        self.values: dict = {}
        self.normaliser = Normaliser(foreign)
        self.connection = None
        # When the last run of each experiment was made, as the answers to their creation said.
        self.last_runs: dict = {}
        for token in self.ask(Request("GET", "/apis/bulkhead/v1/tokens")).json()["tokens"]:
            self.normaliser.own(token["token_id"])

    def ask(self, request: Request) -> Answer:
        path, body, headers = wire(request, self.values)
        if request.credentials == "own":
            headers["Authorization"] = f"Bearer {self.secret}"
        elif request.credentials == "wrong":
            headers["Authorization"] = "Bearer bhk_this-is-none-of-anybody"
        elif request.credentials != "nobody":
            headers["Authorization"] = f"Bearer {filled(request.credentials, self.values)}"
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=60)
            try:
                self.connection.request(request.method, path, body, headers)
                answer = self.connection.getresponse()
                return Answer(answer.status, answer.getheaders(), answer.read())
            except (http.client.HTTPException, OSError):
                # A connection that was kept may be closed just then; nothing was answered on it.
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def save(self, mark: str, answer: Answer, place: str) -> bool:
        value = at(answer.json(), place)
        if isinstance(value, str) and value:
            self.values[mark] = value
        return mark in self.values

    def misdated(self, request: Request, answer: Answer) -> list:
        """Experiments whose `last_run_created_at` is not that of the tenant's own last run there.

        Times are left out of what is compared, so that this one has to be looked at by itself.
        """
        found = answer.json() if answer.status == 200 else None
        if request.method == "POST" and request.path.endswith("/runs") and found:
            run = found.get("run", found)
            keys = {key["type"]: key["id"] for key in (each["key"] for each in run.get("resource_references", []))}
            experiment = run.get("experiment_id") or keys["EXPERIMENT"]
            self.last_runs[experiment] = max(self.last_runs.get(experiment, NEVER), run["created_at"])
        if request.method != "GET" or "/v2beta1/experiments" not in request.path or not found:
            return []
        return [each for each in found.get("experiments", [found]) if "last_run_created_at" in each
                and each["last_run_created_at"] != self.last_runs.get(each["experiment_id"], NEVER)]

    def rest(self, run: str) -> None:
        """Waits for a run to come to rest: to end, or to have a task that has said that it sleeps."""
        deadline = time.monotonic() + REST_SECONDS
        while time.monotonic() < deadline:
            answer = self.ask(Request("GET", f"/apis/v2beta1/runs/{run}"))
            found = answer.json() or {}
            if answer.status != 200 or found.get("state") in ENDED:
                return
            for task in (found.get("run_details") or {}).get("task_details", []):
                log = Request("GET", f"/apis/v1beta1/runs/{run}/nodes/{task['task_id']}/log")
                if found["state"] == task.get("state") == "RUNNING" and b"Asleep" in self.ask(log).body:
                    return
            time.sleep(0.05)
        raise AssertionError(f"run {self.values.get(run, run)} did not come to rest within {REST_SECONDS} s: {found}")


def servers(folder, database) -> tuple:
    """Two of them, started at the same time."""
    made = [Server(folder / name, config=CONFIG, database=database) for name in WORLDS]
    starting = [threading.Thread(target=server.start) for server in made]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()
    return tuple(made)
