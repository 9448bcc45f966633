"""Programs in other languages, built once for each content of what they are made from, in a folder that git ignores.

Clients are made of three things: the protos, the files that their page in docs/clients shows, and clients/LANGUAGE,
which has what only a test needs. The Kubernetes API server is made of the folder kube-apiserver.

    python3 -m harness.builds NAME             builds it if need be, and prints its folder
    python3 -m harness.builds --lacking NAME   prints what this machine lacks to do so, if anything
"""
import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from harness import pages, venvs

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "integration-tests" / "clients"
KUBE_APISERVER = ROOT / "integration-tests" / "kube-apiserver"
FOLDER = ROOT / ".clients"
_building = threading.Lock()


@dataclass(frozen=True)
class Language:
    name: str
    # Prints the version, and the oldest one that will do.
    version: tuple
    oldest: tuple
    steps: tuple
    step_seconds: int = 300


GO_VERSION = ("go", "env", "GOVERSION")
LANGUAGES = {
    "go": Language("Go", GO_VERSION, (1, 26), (
        ("buf", "generate"),
        ("go", "build", "-buildvcs=false", "-o", "submit", "."),
        ("go", "test", "-buildvcs=false", "-c", "-o", "kept", "."),
    )),
    "typescript": Language("Node", ("node", "--version"), (20,), (
        # No script of a package runs here, and nothing is sent about what is installed.
        ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
        ("npx", "--no-install", "buf", "generate"),
        ("npx", "--no-install", "tsc"),
    )),
    # Not a client. Without the tables of symbols and for debuggers it is a third smaller.
    "kube-apiserver": Language("Go", GO_VERSION, (1, 26), (
        ("go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", "kube-apiserver", "."),
    ), step_seconds=3600),
}


def lacking(language: str) -> str:
    """What this machine lacks to build such a program, or nothing."""
    wanted = LANGUAGES[language]
    if not shutil.which(wanted.version[0]):
        return f"no {wanted.name} on this machine"
    # buf comes with what is installed.
    for program in sorted({step[0] for step in wanted.steps} - {"buf"}):
        if not shutil.which(program):
            return f"no {program} beside {wanted.name} on this machine"
    said = subprocess.run(wanted.version, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout.strip()
    found = tuple(int(part) for part in said.lstrip("gov").split(".")[:2] if part.isdigit())
    if found < wanted.oldest:
        return f"{wanted.name} is {said}, and {'.'.join(map(str, wanted.oldest))} is needed"
    return ""


def build(language: str) -> Path:
    """The folder of a built program."""
    with _building:
        contents = _contents(language)
        key = hashlib.sha256()
        for name, data in sorted(contents.items()):
            key.update(f"{name}\0{len(data)}\0".encode() + data)
        key.update(repr(LANGUAGES[language].steps).encode())
        folder = FOLDER / f"{language}-{key.hexdigest()[:12]}"
        if not (folder / "complete").exists():
            # Earlier ones, and what is left of one that was interrupted. The modules of Node are large.
            print(f"building {folder.name}", file=sys.stderr, flush=True)
            for old in FOLDER.glob(f"{language}-*"):
                shutil.rmtree(old, ignore_errors=True)
            for name, data in contents.items():
                file = folder / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
            _run_steps(language, folder)
            (folder / "complete").touch()
        return folder


def _contents(language: str) -> dict:
    if language == "kube-apiserver":
        return {file.name: file.read_bytes() for file in KUBE_APISERVER.iterdir()}
    found = {name: text.encode() for name, text in pages.files(f"{language}.md").items()}
    for root, below in ((CLIENTS / language, ""), (ROOT / "proto", "proto/")):
        found |= {below + str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}
    return found


def _run_steps(language: str, folder: Path) -> None:
    env, seconds = dict(os.environ), LANGUAGES[language].step_seconds
    if language == "go":
        env["PATH"] = f"{venvs.python('buf').parent}:{env['PATH']}"
    for step in LANGUAGES[language].steps:
        try:
            done = subprocess.run(
                step, cwd=folder, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise venvs.Unavailable(f"{' '.join(step)} did not end within {seconds} s") from None
        if done.returncode != 0:
            raise venvs.Unavailable(f"building {language}: {' '.join(step)} failed\n{done.stdout}{done.stderr}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="harness.builds", description=__doc__.split("\n")[0])
    parser.add_argument("--lacking", action="store_true")
    parser.add_argument("name", choices=LANGUAGES)
    options = parser.parse_args()
    lacks = lacking(options.name)
    if options.lacking:
        print(lacks)
        return 0
    try:
        if lacks:
            raise venvs.Unavailable(lacks)
        print(build(options.name))
    except venvs.Unavailable as error:
        print(f"{options.name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
