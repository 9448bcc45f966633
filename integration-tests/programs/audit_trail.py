"""The audit trail: an event for each decision, never a secret, and nothing done that cannot be audited.

It proves that each answer's x-request-id has its event, with who, how they proved it, what, where and whether; that no token,
body or query stands in the trail, the log or the list of tokens; and that, with `audit.fail_closed` and a full disk, requests
are refused with 503 and nothing of them is done until there is space again, while without it they go on. The disk is full in
two ways: a name that leads to /dev/full, and a file system of 64 KiB, where this machine lets it be mounted.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trail import events, full  # noqa: E402


def main() -> int:
    wrong, said = [], []
    with tempfile.TemporaryDirectory(prefix="trail-", ignore_cleanup_errors=True, dir=os.environ.get("SCRATCH")) as scratch:
        parts = [events.check, full.link, full.goes_on]
        if why := unmountable(scratch):
            print(f"skipped: a disk of 64 KiB: {why}")
        else:
            parts.append(full.small_disk)
        for part in parts:
            folder = Path(scratch) / part.__name__
            folder.mkdir()
            try:
                said.append(part(folder))
            except AssertionError as error:
                wrong.append(f"FAILED: {part.__name__}\n{error}")
    for line in wrong:
        print(line)
    print(f"{len(wrong)} of {len(parts)} parts failed; " + ", ".join(said))
    return 1 if wrong else 0


def unmountable(scratch: str) -> str:
    """Why no file system can be mounted here."""
    command = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size=64k none "{scratch}"']
    try:
        tried = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError as error:
        return str(error)
    return tried.stderr.strip() if tried.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
