"""The processes of this machine, as /proc lists them."""
import os
import time


def with_argument(text):
    """The ids of processes that have `text` among their arguments. Choose it at random, and not as an own argument."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                arguments = file.read()
        except OSError:
            continue  # ended while we looked
        if text.encode() in arguments:
            found.append(int(entry))
    return found


def wait_for_some(text, seconds=120, least=1):
    """Waits until at least so many processes have the text among their arguments."""
    deadline = time.monotonic() + seconds
    while len(found := with_argument(text)) < least:
        assert time.monotonic() < deadline, f"after {seconds} s only {found} have {text} among their arguments"
        time.sleep(0.1)
    return found


def wait_for_none(text, seconds=15):
    """Waits until no process has the text among its arguments."""
    deadline = time.monotonic() + seconds
    while found := with_argument(text):
        assert time.monotonic() < deadline, f"left over after {seconds} s: {[(pid, _arguments(pid)) for pid in found]}"
        time.sleep(0.1)


def _arguments(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()[:200].replace(b"\0", b" ")
    except OSError:
        return b"(ended)"
