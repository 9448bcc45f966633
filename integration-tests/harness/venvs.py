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
    interpreter = _interpreter(client)
    files = [REQUIREMENTS / f"{client}.txt", REQUIREMENTS / f"{client}.overrides.txt"]
    contents = b"".join(file.read_bytes() for file in files if file.exists())
    version = subprocess.run([interpreter, "--version"], capture_output=True, check=True).stdout
    key = hashlib.sha256(contents + version).hexdigest()[:12]
    folder = FOLDER / f"{client}-{key}"
    made = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"making the Python environment {folder.name}", flush=True)
        _run([interpreter, "-m", "venv", folder], client)
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


def _interpreter(client: str) -> str:
    """This Python; for the SDK of version 1, which knows none after 3.11, an older one when there is one."""
    if client != "kfp1" or sys.version_info < (3, 12):
        return sys.executable
    older = (shutil.which(f"python3.{minor}") for minor in (11, 10, 9))
    return next((found for found in older if found), sys.executable)
