"""Defects of others, tried here: each case is named after what it is about, and says what happened there.

The server is attacked over REST and gRPC by nobody, by who has a wrong token, by a stranger without any namespace, by another
tenant and by a viewer. `defects.py` lists what has to be accounted for: each has a case, or a reason why it cannot be had
here, which is printed. It proves besides that no error tells of the inside, that the server is the same process at the end,
starts again on what was left, and that no token stands in its log, its audit trail or the list of tokens.

`api9.1` to `api9.21` are the gaps that a reading of KFP 2.17's API server has shown. With words, only the cases whose names have one of them.
"""
import importlib
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from regressions import defects  # noqa: E402
from regressions.case import CASES, NOT_HERE  # noqa: E402
from regressions.stage import JANES, V2, Stage  # noqa: E402

THEMES = ("uploads", "references", "tasks", "logs", "reports", "visualizations", "artifacts", "headers", "lists", "urls",
          "archives", "manifests", "pages", "deciding")


def main(words: list) -> int:
    for theme in THEMES:
        importlib.import_module(f"regressions.{theme}")
    wrong = accounted()
    chosen = [case for case in CASES if not words or any(word in case.name for word in words)]
    for defect, reason in NOT_HERE.items():
        print(f"not here: {defect}: {reason}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="regressions-", ignore_cleanup_errors=True, dir=os.environ.get("SCRATCH")) as scratch:
        stage = Stage(Path(scratch))
        try:
            for case in chosen:
                wrong += tried(stage, case)
            wrong += at_the_end(stage)
        finally:
            stage.server.kill()
    for line in wrong:
        print(line)
    print(
        f"{len(chosen)} cases about {len({defect for case in chosen for defect in case.defects})} defects, {len(NOT_HERE)} not here, "
        f"{len(wrong)} wrong, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def accounted() -> list:
    about = {defect for case in CASES for defect in case.defects}
    lines = [
        f"{defect} has no case, and no reason not to have one" for defect in defects.ALL
        if defect not in about | NOT_HERE.keys()
    ]
    lines += [f"{defect} is in no list of defects" for defect in sorted((about | NOT_HERE.keys()) - set(defects.ALL))]
    return lines + [f"{case.name} does not say what happened" for case in CASES if len(case.sentence) < 60]


def tried(stage: Stage, case) -> list:
    began = time.monotonic()
    try:
        case.function(stage)
        stage.alive()
    except Exception as error:
        where = "".join(traceback.format_tb(error.__traceback__)[-2:])
        return [f"FAILED: {case.name}: {case.sentence}\n{type(error).__name__}: {str(error)[:3000]}\n{where}"]
    print(f"ok: {case.name} ({time.monotonic() - began:.1f} s)", flush=True)
    return []


def at_the_end(stage: Stage) -> list:
    """Nothing that was tried keeps the server from stopping, and starting again, or has put a secret where it can be read."""
    lines = [f"the text of an error tells of the inside: {text}" for text in stage.told]
    list_of_tokens = stage.server.command("token", "list")
    stage.server.stop()
    stage.server.start()
    assert stage.ok("jane", "GET", f"{V2}/runs/{stage.ours['run']}")["state"] == "SUCCEEDED"
    assert stage.ok("jane", "GET", f"{V2}/experiments", query={"namespace": JANES})["total_size"] > 0
    stage.server.stop()
    for where, text in (("log", stage.logged()), ("audit trail", stage.trail.read_text()), ("list of tokens", list_of_tokens)):
        lines += [f"the {where} has {who}'s token" for who, token in stage.tokens.items() if token in text]
    lines += [f"the server panicked: {line}" for line in stage.logged().splitlines() if "panicked" in line]
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
