"""A run as it is watched until it has ended."""
import http.client
import json
import time
import urllib.parse
from dataclasses import dataclass, field

from rest import ENDED

SECONDS = 120
SILENCE = 30


class Broken(Exception):
    """The stream did not do what a stream must."""


@dataclass
class Seen:
    """What the messages have told together."""

    run: dict = field(default_factory=dict)
    # The newest of each task, by its id.
    tasks: dict = field(default_factory=dict)
    # The changes of each, by its id.
    changes: dict = field(default_factory=dict)
    cursor: str = ""

    def add(self, message: dict) -> None:
        self.cursor = message.get("cursor", self.cursor)
        self.run |= message.get("run", {})
        for task in message.get("tasks", []):
            self.tasks[task["task_id"]] = task
            self.changes.setdefault(task["task_id"], []).extend(task.get("changes", []))


def until_ended(who, run_id: str) -> Seen:
    """Watches a run to its end, going on from the cursor where a stream ends before it.

    Raises `Broken` if the run takes too long, or if the server answers otherwise than with messages.
    """
    seen, deadline = Seen(), time.monotonic() + SECONDS
    while seen.run.get("state") not in ENDED:
        if time.monotonic() > deadline:
            raise Broken(f"the run did not end within {SECONDS} s: it is {seen.run.get('state')}; {states(seen)}")
        if not follow(who, run_id, seen, deadline):
            # A stream that ends at once, again and again, is not to be asked for all the time.
            time.sleep(0.2)
    return seen


def follow(who, run_id: str, seen: Seen, deadline: float) -> int:
    """Takes in one stream, and gives the number of its messages."""
    connection, messages = http.client.HTTPConnection(who.address, timeout=SILENCE), 0
    path = f"/apis/bulkhead/v1/runs/{run_id}:watch"
    if seen.cursor:
        path += "?" + urllib.parse.urlencode({"cursor": seen.cursor})
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {who.token}"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise Broken(f"GET {path}: {answer.status} {answer.read().decode(errors='replace')[:500]}")
        while time.monotonic() < deadline and (line := answer.readline()):
            message = json.loads(line)
            if "result" not in message:
                raise Broken(f"GET {path}: {line.decode(errors='replace')[:500]}")
            seen.add(message["result"])
            messages += 1
    except TimeoutError:
        # Nothing has changed for long; the deadline says whether for too long.
        pass
    finally:
        connection.close()
    return messages


def states(seen: Seen) -> str:
    return ", ".join(f"{task['path']} is {task.get('state')}" for task in seen.tasks.values()) or "no task was told"
