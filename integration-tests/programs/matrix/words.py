"""What the words of rows stand for, in one request of one caller."""
import json
import uuid

from matrix.table import encoded
from matrix.world import NAME, NEVER, World, text

# A pipeline, as a text and as protobuf's JSON has its bytes.
TEXT = text("hello")
PACKAGE = encoded(TEXT)


class Names:
    """Names that nothing else has, and which of them were taken."""

    def __init__(self, world: World):
        self.world, self.taken = world, set()

    def __call__(self) -> str:
        name = self.world.name()
        self.taken.add(name)
        return name


def words(world: World, caller, people: list) -> dict:
    """By the words; what is callable is asked anew each time."""
    another = next(other for other in people if other.known and other.user != caller.user)
    # The same user, as they come first in the table.
    same = next((other for other in people if other.known and other.user == caller.user), another)
    return {
        "$fresh": Names(world), "$named": NAME, "$absent": lambda: str(uuid.uuid4()),
        "$spec": world.hello, "$text": TEXT, "$package": PACKAGE, "$never": NEVER,
        "$workflow of our run": workflow(world.thing("run", "own").id), "$workflow of no run": workflow(str(uuid.uuid4())),
        "$our schedule": manifest("ScheduledWorkflow", world.thing("recurring_run", "own").id),
        "$mine": lambda: world.token(caller if caller.known else another), "$others": lambda: world.token(another),
        "$of another login": lambda: world.token(same),
    }


def workflow(run: str) -> str:
    """What an agent reports of the workflow of a run."""
    return manifest("Workflow", str(uuid.uuid4()), labels={"pipeline/runid": run})


def manifest(kind: str, uid: str, **metadata) -> str:
    metadata = {"name": NAME, "namespace": "own", "uid": uid, "creationTimestamp": "2026-01-02T03:04:05Z"} | metadata
    return json.dumps({"kind": kind, "metadata": metadata, "spec": {}, "status": {"phase": "Running"}})
