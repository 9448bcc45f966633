"""Python environments for the clients, made once for each content of their requirements."""
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"
FOLDER = ROOT / ".venvs"


class Unavailable(Exception):
    """A client cannot be installed on this machine, and why."""


def python(client: str) -> Path:
    """The interpreter of a client's environment, made if it is missing.

    A folder's name has the hash of what is in it, so a change of the requirements makes a new one; the mark at the end
    tells a finished folder from one whose making was interrupted.
    """
    files = [REQUIREMENTS / f"{client}.txt", REQUIREMENTS / f"{client}.overrides.txt"]
    contents = b"".join(file.read_bytes() for file in files if file.exists())
    key = hashlib.sha256(contents + sys.version.encode()).hexdigest()[:12]
    folder = FOLDER / f"{client}-{key}"
    made = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"making the Python environment {folder.name}", flush=True)
        _run([sys.executable, "-m", "venv", folder], client)
        _install(client, made)
        (folder / "complete").touch()
    return made


def _install(client: str, made: Path) -> None:
    requirements = REQUIREMENTS / f"{client}.txt"
    overrides = REQUIREMENTS / f"{client}.overrides.txt"
    if not overrides.exists():
        _run([made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements], client)
        return
    uv = python("uv").with_name("uv")
    _run([uv, "pip", "install", "--quiet", "--python", made, "--override", overrides, "-r", requirements], client)


def _run(command: list, client: str) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        words = " ".join(str(part) for part in command)
        raise Unavailable(f"the client {client} could not be installed: {words}\n{done.stdout}{done.stderr}")
