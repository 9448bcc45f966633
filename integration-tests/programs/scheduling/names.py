"""What runs of recurring runs are called, and what the macros in their parameters stand for."""
import datetime
import re

from scheduling.plan import seconds

MACROS = ("[[ScheduledTime]] [[Index]] [[CurrentTime.2006-01-02]] {{$.scheduledTime.strftime('%H:%M:%S')}} [[RunUUID]] "
          "[[Nonsense]]")


def fnv(text: str) -> int:
    """FNV-1a of 32 bits."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def check(name: str, runs: list) -> None:
    """`<name><5 letters or digits>-<index>-<hash>`, with indexes from 1 on, in the order of the moments."""
    stems = set()
    for index, run in enumerate(sorted(runs, key=lambda run: seconds(run["scheduled_at"])), 1):
        found = re.fullmatch(rf"({re.escape(name)}[a-z0-9]{{5}}-{index})-(\d+)", run["display_name"])
        assert found and int(found[2]) == fnv(found[1]), f"run {index} of {name} is called {run['display_name']}"
        stems.add(found[1].rpartition("-")[0])
    assert len(stems) == 1, stems


def expanded(run: dict, index: int) -> str:
    """What `MACROS` are in a run."""
    scheduled, created = (datetime.datetime.fromtimestamp(seconds(run[key]), datetime.timezone.utc)
                          for key in ("scheduled_at", "created_at"))
    return f"{scheduled:%Y%m%d%H%M%S} {index} {created:%Y-%m-%d} {scheduled:%H:%M:%S} {run['run_id']} [[Nonsense]]"
