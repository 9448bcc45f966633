"""Clients in other languages, generated and built once for each content of what they are made from.

They are made of three things: the protos, the files that their page in docs/clients shows, and clients/LANGUAGE, which
has what only a test needs. Nothing generated is kept but in the folder of builds, which git ignores.
"""
import hashlib
import os
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from harness import pages, venvs

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "integration-tests" / "clients"
FOLDER = ROOT / ".clients"
STEP_SECONDS = 300
_building = threading.Lock()


@dataclass(frozen=True)
class Language:
    name: str
    # Prints the version, and the oldest one that will do.
    version: tuple
    oldest: tuple
    steps: tuple


LANGUAGES = {
    "go": Language("Go", ("go", "env", "GOVERSION"), (1, 26), (
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
}


def lacking(language: str) -> str:
    """What this machine lacks to build such a client, or nothing."""
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
    """The folder of a built client."""
    with _building:
        contents = _contents(language)
        key = hashlib.sha256()
        for name, data in sorted(contents.items()):
            key.update(f"{name}\0{len(data)}\0".encode() + data)
        key.update(repr(LANGUAGES[language].steps).encode())
        folder = FOLDER / f"{language}-{key.hexdigest()[:12]}"
        if not (folder / "complete").exists():
            # Earlier ones, and what is left of one that was interrupted. The modules of Node are large.
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
    found = {name: text.encode() for name, text in pages.files(f"{language}.md").items()}
    for root, below in ((CLIENTS / language, ""), (ROOT / "proto", "proto/")):
        found |= {below + str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}
    return found


def _run_steps(language: str, folder: Path) -> None:
    env = dict(os.environ)
    if language == "go":
        env["PATH"] = f"{venvs.python('buf').parent}:{env['PATH']}"
    for step in LANGUAGES[language].steps:
        try:
            done = subprocess.run(
                step, cwd=folder, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=STEP_SECONDS)
        except subprocess.TimeoutExpired:
            raise venvs.Unavailable(f"{' '.join(step)} did not end within {STEP_SECONDS} s") from None
        if done.returncode != 0:
            raise venvs.Unavailable(f"the client in {language}: {' '.join(step)} failed\n{done.stdout}{done.stderr}")
