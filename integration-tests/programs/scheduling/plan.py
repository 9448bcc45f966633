"""When a recurring run is due, computed from what was asked for and when it was made, and from nothing of the server."""
import datetime
from dataclasses import dataclass

# A task that is left out by its condition, so that a run of it ends at once.
CHEAP = {
    "pipelineInfo": {"name": "cheap"}, "schemaVersion": "2.1.0",
    "deploymentSpec": {"executors": {"exec": {"container": {"image": "none", "command": ["true"]}}}},
    "components": {"comp-noop": {"executorLabel": "exec"}},
    "root": {
        "inputDefinitions": {"parameters": {"word": {"parameterType": "STRING", "defaultValue": "ahoy", "isOptional": True}}},
        "dag": {"tasks": {"noop": {"componentRef": {"name": "comp-noop"}, "taskInfo": {"name": "noop"},
                                   "triggerPolicy": {"condition": "1 == 2"}}}},
    },
}


@dataclass(frozen=True)
class Plan:
    """Times are whole seconds since 1970, as the API tells them; 0 is none."""
    # The seconds from one moment to the next; by cron, a divisor of 60.
    every: int
    cron: bool = False
    catchup: bool = True
    at_once: int = 1
    start: int = 0
    end: int = 0

    def body(self, name: str, experiment: str, spec: dict) -> dict:
        """Of a request that makes it."""
        bounds = {key: text(value) for key, value in (("start_time", self.start), ("end_time", self.end)) if value}
        trigger = ({"cron_schedule": {"cron": f"*/{self.every} * * * * *"} | bounds} if self.cron
                   else {"periodic_schedule": {"interval_second": str(self.every)} | bounds})
        return {"display_name": name, "experiment_id": experiment, "pipeline_spec": spec, "mode": "ENABLE", "trigger": trigger,
                "max_concurrency": str(self.at_once), "no_catchup": not self.catchup}

    def moments(self, created: int, until: int) -> range:
        """From the first one to a time that may be one."""
        if self.cron:
            first = -(-(self.start or created + 1) // self.every) * self.every
        else:
            first = self.start or created + self.every
        return range(first, min(until, self.end or until) + 1, self.every)


def text(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(time: str) -> float:
    """Of a time as the API tells it."""
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
