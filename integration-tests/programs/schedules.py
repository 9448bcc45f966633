"""Recurring runs that fire, made and looked after with the SDK.

It proves that each moment has its run, made within two seconds of it and called as upstream calls it, with the macros in
its parameters filled in; that no more runs go on at one time than may; that what was due while a schedule was disabled is
caught up with, or is not, as it says; that the latest version of a pipeline runs, that time zones and ends count; that
runs are made for an owner, who may not make more than they could by themselves at that moment; and that everybody can
see what has come of each moment, and what keeps a schedule from making runs.
"""
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.server import Server  # noqa: E402
from scheduling import firing, owners  # noqa: E402
from scheduling.bench import Bench  # noqa: E402

CONFIG = {"schedules": {"namespace_min_interval": {"john-roe": 60}}, "executor": {"max_tasks": 4}, "log": {"level": "warn"},
          "quotas": {"namespaces": {"sam-blue": {"stored_runs": 2}}}}
# The rights of one person change in two of them, so that these follow each other.
PARTS = [(firing.on_time,), (firing.one_by_one,), (firing.catching_up,), (firing.once, firing.zones, firing.latest),
         (owners.withdrawn, owners.revoked, owners.paced), (owners.full,)]


def main() -> int:
    said, wrong, began = [], [], time.monotonic()

    def play(server: Server, parts: tuple) -> None:
        for part in parts:
            try:
                said.append(part(Bench(server)))
            except Exception as error:
                wrong.append(f"FAILED: {part.__name__}: {type(error).__name__}: {error}")

    with tempfile.TemporaryDirectory(prefix="schedules-", ignore_cleanup_errors=True, dir=os.environ.get("SCRATCH")) as scratch:
        server = Server(Path(scratch) / "server", config=CONFIG)
        owners.grant(server)
        try:
            server.start()
            with ThreadPoolExecutor(len(PARTS)) as pool:
                list(pool.map(lambda parts: play(server, parts), PARTS))
            server.stop()
        finally:
            server.kill()
    for line in wrong:
        print(line)
    print(f"{'; '.join(said)}; {len(wrong)} wrong; {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
