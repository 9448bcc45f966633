"""What is to be seen of the objects after all calls: that what was refused has changed nothing."""
import urllib.parse
from dataclasses import dataclass

from matrix.world import PLACES, World

PATHS = {
    "experiment": "experiments/{0}", "run": "runs/{0}", "recurring_run": "recurringruns/{0}", "pipeline": "pipelines/{0}",
    "pipeline_version": "pipelines/{1}/versions/{0}", "task": "tasks/{0}", "artifact": "artifacts/{0}",
}


@dataclass(frozen=True)
class Traces:
    """All that stands, as it was once."""
    world: World
    before: dict

    @classmethod
    def of(cls, world: World) -> "Traces":
        return cls(world, snapshot(world))

    def wrong(self, refused: set) -> list:
        """What has changed, although every call on it was refused; and what is there by a name that only refused calls
        have had.
        """
        after = snapshot(self.world)
        lines = [f"{what} has changed, and no call on it was admitted: {self.before[what]} is now {after[what]}"
                 for what in after if after[what] != self.before[what]]
        return lines + [f"{name} is there, and every call that named it was refused" for name in sorted(refused & names(self.world))]


def snapshot(world: World) -> dict:
    pipelines = {place: world.thing("pipeline", place).id for place in PLACES}
    found = {f"{kind} {place} {flavour}".rstrip(): world.seen(PATHS[kind].format(thing.id, pipelines[place]))
             for (kind, place, flavour), thing in world.standing.items()}
    # Runs are made in the experiments all the time.
    return {what: {key: value for key, value in seen.items() if key != "last_run_created_at"} for what, seen in found.items()}


def names(world: World) -> set:
    """What everything is called."""
    found = set()
    for namespace in ("own", "foreign"):
        for path, key in (("experiments", "experiments"), ("runs", "runs"), ("recurringruns", "recurringRuns")):
            found |= listed(world, path, key, namespace)
    for place, namespace in PLACES.items():
        found |= listed(world, "pipelines", "pipelines", "" if place == "shared" else namespace)
        found |= listed(world, f"pipelines/{world.thing('pipeline', place).id}/versions", "pipeline_versions", "")
    return found


def listed(world: World, path: str, key: str, namespace: str) -> set:
    found, token = set(), ""
    while True:
        query = urllib.parse.urlencode({"namespace": namespace, "page_size": 200, "page_token": token})
        page = world.call("GET", f"{path}?{query}")
        for each in page.get(key, []):
            found |= {each.get("name", ""), each.get("display_name", "")}
        token = page.get("next_page_token", "")
        if not token:
            return found
