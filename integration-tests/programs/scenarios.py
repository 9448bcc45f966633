"""The API, step by step: the files of scenarios/ against one server, and whether they meet every route.

It proves that each step of each file is answered as the file says, and that every route of the protos is met by a
success, a bad input, a stranger who is refused, and somebody without a login who is refused.

With DATABASE=postgres or mysql in the environment, the server keeps its tables in such a database.

Alone, it plays all files, or those whose paths have one of the words: programs/scenarios.py [WORD...]
"""
import functools
import http.server
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import databases  # noqa: E402
from harness.server import ROOT, Server  # noqa: E402
from scenario import coverage, file, play  # noqa: E402

AT_ONCE = 4
# Addresses of this host may be fetched from, so that the files of the scenarios can be.
CONFIG = {
    "pipelines": {"url": {"enabled": True, "allow_http": True, "allowed_cidrs": ["127.0.0.1/32"]}},
    "cors": {"allowed_origins": ["https://ui.example.com"]},
    # John's namespace is trusted a little more than Jane's.
    "policy": {"namespaces": {"john-roe": ["pod-spec-patch"]}, "domains": ["example.com"]},
}


class Files(http.server.SimpleHTTPRequestHandler):
    """What the server fetches when somebody names a pipeline by URL."""

    def log_message(self, *_):
        pass


def main(words: list) -> int:
    chosen = [path for path in file.files() if not words or any(word in str(path.relative_to(file.FOLDER)) for word in words)]
    scenarios = {path: file.steps(path) for path in chosen}
    cases = [step for steps in scenarios.values() for step in steps if step.asserts]
    with (tempfile.TemporaryDirectory(prefix="scenarios-", ignore_cleanup_errors=True) as scratch,
          databases.running(os.environ.get("DATABASE", "")) as database):
        server = Server(Path(os.environ.get("SCRATCH", scratch)) / "server", config=CONFIG, database=database).start()
        files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=file.FOLDER / "files"))
        threading.Thread(target=files.serve_forever, daemon=True).start()
        given = {"files": f"http://127.0.0.1:{files.server_port}"}
        try:
            tokens = {who: server.token(f"{who}@example.com").read_text().strip()
                      for who in file.IDENTITIES if who != "nobody"}
            began = time.monotonic()
            with ThreadPoolExecutor(AT_ONCE) as pool:
                outcomes = list(pool.map(lambda path: played(server.host, tokens, given, path, scenarios[path]), chosen))
            took = time.monotonic() - began
            server.stop()
        finally:
            server.kill()
    failures = [failure for _, failed in outcomes for failure in failed]
    # A part of the files cannot meet every route.
    gaps = [] if words else coverage.missing(ROOT / "proto", cases)
    for line in failures + gaps:
        print(line)
    passed = sum(count for count, _ in outcomes)
    print(f"{passed} of {len(cases)} cases passed, in {len(chosen)} files, in {took:.0f} s, {len(gaps)} gaps in the routes")
    return 1 if failures or gaps else 0


def played(host: str, tokens: dict, given: dict, path: Path, steps: list) -> tuple:
    """How many cases passed, and what is wrong with the others.

    A step after one that failed is played too, unless it needs what that one was to save.
    """
    player, passed, failures, unsaved = play.Player(host, tokens, given, path.stem.replace("_", "-")), 0, [], {}
    for step in steps:
        try:
            player.play(step)
            passed += step.asserts
        except file.Unsaved as variable:
            unsaved.setdefault(str(variable), []).append(step.number)
        except play.Wrong as wrong:
            failures.append(f"FAILED: {step}\n" + "\n".join(f"    {line}" for line in str(wrong).splitlines()))
    for variable, numbers in unsaved.items():
        which = ", ".join(str(number) for number in dict.fromkeys(numbers))
        failures.append(f"NOT PLAYED: {steps[-1].file}, steps {which}: nothing has saved {variable}")
    return passed, failures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
