"""An image for podman, made of this host's own Python: no registry has to be there.

    python3 -m harness.images    makes it if need be, and prints where it is: storage, runtime and image

Its files are those of Debian packages that are installed here, so it is a small Debian with a `python3`, `pip` and a
shell. `image("kfp2")` has the packages of that client's environment besides. What podman keeps is in a folder that git ignores.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from harness import venvs

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".images"
# The name that kfp's components have for their image.
NAME = "docker.io/library/python:3.11"
PACKAGES = (
    "base-files base-passwd bash coreutils dash debianutils findutils grep hostname libacl1 libattr1 libbz2-1.0 libc-bin "
    "libc6 libcrypt1 libdb5.3 libexpat1 libffi8 libgcc-s1 libgmp10 liblzma5 libncursesw6 libpcre2-8-0 libpython3-stdlib "
    "libpython3.11-minimal libpython3.11-stdlib libreadline8 libselinux1 libsqlite3-0 libssl3 libstdc++6 libtinfo6 "
    "libuuid1 media-types python3 python3-distutils python3-lib2to3 python3-minimal python3-pip python3-pkg-resources "
    "python3-setuptools python3-wheel python3.11 python3.11-minimal sed tar util-linux zlib1g").split()
RUNTIMES = ("crun", "runc")


class Unavailable(Exception):
    """There can be no image on this machine, and why."""


def image(client: str = "") -> dict:
    """The settings with which podman finds an image called `NAME`: `CONTAINERS_STORAGE_CONF` and a runtime."""
    if not shutil.which("podman"):
        raise Unavailable("podman is not installed")
    if os.geteuid() != 0:
        raise Unavailable("the files of an image are to be root's, and this is not root")
    files = _files()
    folder = FOLDER / (client or "bare")
    folder.mkdir(parents=True, exist_ok=True)
    storage = folder / "storage.conf"
    with _locked(folder / "lock"):
        if not storage.exists():
            storage.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/graph"\nrunroot = "{_run_root(folder)}"\n')
        env = {**os.environ, "CONTAINERS_STORAGE_CONF": str(storage)}
        if _podman(env, "image", "exists", NAME).returncode != 0:
            _import(env, files, site_packages(client) if client else None)
        return {"storage": str(storage), "runtime": _runtime(env), "image": NAME}


def site_packages(client: str) -> Path:
    return next((venvs.python(client).parents[1] / "lib").glob("python*/site-packages"))


def _files() -> list:
    if not shutil.which("dpkg"):
        raise Unavailable("an image is made of the files of Debian packages, and this is no Debian")
    listed = subprocess.run(["dpkg", "-L", *PACKAGES], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if listed.returncode != 0:
        raise Unavailable(f"not all packages are here that an image is made of: {listed.stderr.strip().splitlines()[0]}")
    named = {Path(line) for line in listed.stdout.splitlines() if line.startswith("/")}
    named |= {Path(name) for name in ("/bin", "/sbin", "/lib", "/lib64", "/usr/bin/sh", "/etc/passwd", "/etc/group")}
    # Where /usr is merged, some of the names lead over a link.
    found = {str(path.parent.resolve() / path.name) for path in named if os.path.lexists(path)}
    # Debian's Python would have pip install nothing.
    found -= {name for name in found if name.endswith("/EXTERNALLY-MANAGED")}
    return sorted(found - {"/", "/tmp", "/root", "/var"})


def _run_root(folder: Path) -> Path:
    """Short, since there are sockets in it; podman forgets what is in it when the host restarts."""
    return Path(tempfile.gettempdir()) / f"bulkhead-podman-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


def _import(env: dict, files: list, packages) -> None:
    print(f"making the image {NAME}", file=sys.stderr, flush=True)
    importing = subprocess.Popen(["podman", "import", "--quiet", "-", NAME], env=env, stdin=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with tarfile.open(fileobj=importing.stdin, mode="w|") as archive:
        for name in files:
            archive.add(name, recursive=False)
        if packages:
            archive.add(packages, "/usr/local/lib/python3.11/dist-packages")
        for folder, mode in (("/tmp", 0o1777), ("/root", 0o755), ("/var", 0o755)):
            made = tarfile.TarInfo(folder)
            made.type, made.mode = tarfile.DIRTYPE, mode
            archive.addfile(made)
    importing.stdin.close()
    said = importing.stderr.read().decode()
    if importing.wait() != 0:
        raise Unavailable(f"podman cannot import an image: {said.strip()}")


def _runtime(env: dict) -> str:
    """The first that starts a container here: crun refuses hosts whose control groups are of both versions."""
    said = ""
    for runtime in filter(shutil.which, RUNTIMES):
        tried = _podman(env, "--runtime", runtime, "run", "--rm", "--network", "none", "--pids-limit", "100",
                        "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", NAME, "true")
        if tried.returncode == 0:
            return runtime
        said += f"{runtime}: {tried.stderr.strip()}; "
    raise Unavailable(f"no container starts here: {said or 'there is no ' + ' or '.join(RUNTIMES)}")


def _podman(env: dict, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(["podman", *words], env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def _locked(path: Path):
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        print(json.dumps(image(*sys.argv[1:])))
    except Unavailable as why:
        sys.exit(f"skipped: {why}")
