"""A component that needs a package, twice.

It proves that the Python environment is made once and then shared: the second run installs nothing, and takes less time
than the first.
"""
import os
import time
import uuid
from pathlib import Path

import rest

data, tag = Path(os.environ["SERVER_DATA"]), uuid.uuid4().hex[:8]


def installed():
    """Where the package is, and when it got there."""
    found = data.rglob("site-packages/cowsay/__init__.py")
    return {str(file): (file.stat().st_ino, file.stat().st_mtime_ns) for file in found}


jane = rest.jane()
experiment, pipeline = jane.experiment(tag), jane.pipeline("packaged", tag)
assert not installed()
took, seen = [], []
for number in range(2):
    began = time.monotonic()
    run = jane.run(experiment, pipeline, f"{number}-{tag}")
    done = jane.ended(run)
    took.append(time.monotonic() - began)
    assert done["state"] == "SUCCEEDED", done
    seen.append(installed())
assert len(seen[0]) == 1, f"{len(seen[0])} environments were made: {list(seen[0])}"
assert seen[1] == seen[0], f"the second run made one again: {seen}"
assert took[1] < took[0], took
print(f"first run {took[0]:.1f} s, second {took[1]:.1f} s")
