#!/usr/bin/env python3
"""Runs the client programs against real servers, each against one of its own.

    run.py                      all of them
    run.py NAME...              some of them
    run.py --list               what there is
    run.py --client kfp2 FILE   a program of your own, on the environment of a client: kfp1, kfp2, grpc or openapi

Needs a built server (target/debug/bulkhead, or the file that BULKHEAD names) and Python 3; the clients are installed
into .venvs on first use. A program passes when it exits with 0. The last line has the counts.
"""
import argparse
import ast
import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from harness import builds, databases, images, venvs
from harness.server import BINARY, FOREIGN, SECRET, Broken, Server

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PROGRAMS = HERE / "programs"
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")


@dataclass(frozen=True)
class Program:
    name: str
    client: str
    file: str = ""
    sandbox: str = "auto"
    single_user: bool = False
    # Its tasks run in containers, of an image of this host's Python with the packages of its client.
    podman: bool = False
    # The database that its server keeps its tables in, or that it starts by itself.
    database: str = ""
    # What it is told on its command line.
    words: tuple = ()
    # What its server is configured with besides.
    config: dict = field(default_factory=dict)
    # It looks at these clients besides; their interpreters are named in its environment.
    also: tuple = ()
    # It starts and stops servers by itself, or needs none.
    own_server: bool = False
    # Of the client that it runs, when that is not Python.
    language: str = ""
    # It needs a browser that can do without a screen.
    browser: bool = False
    seconds: int = 600

    @property
    def clients(self) -> set:
        return {self.client, *self.also}

    @property
    def path(self) -> Path:
        return PROGRAMS / (self.file or f"{self.name}.py")


# How long the soak lasts, when that is said.
SOAK = int(float(os.environ.get("SOAK_SECONDS", 40)))

# And how long several servers are killed beside each other.
SCHEDULES = int(float(os.environ.get("SCHEDULES_SECONDS", 30)))

# On servers of databases these take a part of the RPCs and of the seeds, so that all of this stays short.
MATRIX, SEEDS = ((), ()) if os.environ.get("ISOLATION") == "all" else (("v2beta1.RunService", "v2beta1.PipelineService"), ("--seeds", "3"))

# The longest first, so that the end is not one of them alone.
ALL = [
    Program("sdk_v2", "kfp2"),
    Program("non_interference", "grpc", own_server=True, seconds=1800),
    Program("timing", "grpc", seconds=1200),
    Program("regressions", "grpc", own_server=True),
    Program("engine", "scenarios", seconds=900),
    Program("engine_local", "kfp2"),
    Program("crash", "kfp2", own_server=True),
    Program("watch", "grpc", own_server=True),
    Program("matrix", "grpc", own_server=True),
    Program("hostile_bwrap", "kfp2", "hostile.py", sandbox="bwrap"),
    Program("hostile_landlock", "kfp2", "hostile.py", sandbox="landlock"),
    Program("hostile_podman", "kfp2", "hostile.py", podman=True),
    Program("podman", "kfp2", podman=True),
    Program("sdk_v1", "kfp1"),
    Program("single_user", "kfp2", single_user=True),
    Program("rest_v1", "kfp1"),
    Program("server_api_v2", "kfp2"),
    Program("server_api_v1", "kfp1", config={"pipelines": {"url": {
        "enabled": True, "allowed_cidrs": ["127.0.0.0/8"], "allow_http": True}}}),
    Program("terminate_v1", "kfp1", "terminate.py"),
    Program("terminate_v2", "kfp2", "terminate.py"),
    Program("sizes", "grpc"),
    Program("second_run_is_fast", "kfp2"),
    Program("retry", "kfp2"),
    Program("scenarios", "scenarios", own_server=True),
    Program("flood", "grpc", own_server=True),
    Program("limits", "grpc", own_server=True),
    Program("quotas", "grpc", own_server=True, also=("kfp2",)),
    Program("audit_trail", "grpc", own_server=True),
    Program("tokens", "grpc", own_server=True),
    Program("outsider", "kfp2"),
    Program("logs_and_artifacts", "grpc"),
    Program("lineage", "grpc"),
    Program("recurring_runs", "kfp2"),
    Program("schedules", "kfp2", own_server=True),
    Program("grpc_notebook", "grpc"),
    Program("mlmd", "mlmd"),
    Program("bad_input", "kfp2"),
    Program("upload_without_namespace_v1", "kfp1", "upload_without_namespace.py"),
    Program("upload_without_namespace_v2", "kfp2", "upload_without_namespace.py"),
    Program("grpcurl", "grpc"),
    Program("go", "grpc", language="go"),
    Program("typescript", "grpc", language="typescript"),
    Program("pages", "kfp2", also=("grpc",)),
    Program("backup", "kfp2", own_server=True),
    Program("database_postgres", "kfp2", "database.py", own_server=True, database="postgres"),
    Program("database_mysql", "kfp2", "database.py", own_server=True, database="mysql"),
    Program("scenarios_postgres", "scenarios", "scenarios.py", own_server=True, database="postgres"),
    Program("scenarios_mysql", "scenarios", "scenarios.py", own_server=True, database="mysql"),
    Program("outsider_postgres", "kfp2", "outsider.py", database="postgres"),
    Program("outsider_mysql", "kfp2", "outsider.py", database="mysql"),
    Program("matrix_postgres", "grpc", "matrix.py", own_server=True, database="postgres", words=MATRIX),
    Program("matrix_mysql", "grpc", "matrix.py", own_server=True, database="mysql", words=MATRIX),
    Program("non_interference_postgres", "grpc", "non_interference.py", own_server=True, database="postgres", words=SEEDS,
            seconds=1800),
    Program("non_interference_mysql", "grpc", "non_interference.py", own_server=True, database="mysql", words=SEEDS,
            seconds=1800),
    Program("schedules_postgres", "grpc", "several_servers.py", own_server=True, database="postgres", seconds=600 + 2 * SCHEDULES),
    Program("schedules_mysql", "grpc", "several_servers.py", own_server=True, database="mysql", seconds=600 + 2 * SCHEDULES),
    Program("soak_sqlite", "grpc", "soak.py", own_server=True, seconds=600 + 2 * SOAK),
    Program("soak_postgres", "grpc", "soak.py", own_server=True, database="postgres", seconds=600 + 2 * SOAK),
    Program("soak_mysql", "grpc", "soak.py", own_server=True, database="mysql", seconds=600 + 2 * SOAK),
    Program("login", "kfp2", own_server=True),
    Program("oidc", "kfp2", own_server=True),
    Program("browser", "grpc", language="typescript", own_server=True, browser=True),
    Program("schemathesis", "openapi", "any_request.py"),
    Program("openapi", "openapi", also=("kfp1", "kfp2")),
    Program("access_table", "grpc", own_server=True),
    Program("buf_lint", "buf", own_server=True),
    Program("compiled", "kfp2", own_server=True),
]


class Failed(Exception):
    """What went wrong with a program, with what it printed."""


class Skipped(Exception):
    """Why a program cannot run on this machine."""


def main() -> int:
    options = arguments()
    if options.list:
        for program in ALL:
            print(f"{program.name}: {summary(program)}")
        return 0
    if not BINARY.exists():
        print(f"there is no server at {BINARY}: build it with cargo build -p bulkhead", file=sys.stderr)
        return 2
    chosen = choose(options)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    printing = threading.Lock()
    with tempfile.TemporaryDirectory(prefix="bulkhead-", ignore_cleanup_errors=True) as scratch:
        try:
            packages = compile_pipelines(Path(scratch))
            for client in sorted(set().union(*(program.clients for program in chosen))):
                venvs.python(client)
        except (venvs.Unavailable, Failed) as error:
            print(error, file=sys.stderr)
            print(f"0 passed, {len(chosen)} failed, 0 skipped")
            return 1

        def run(program: Program) -> None:
            began = time.monotonic()
            try:
                said = one(program, Path(scratch) / program.name, packages)
            except Skipped as why:
                outcome, lines = "skipped", f"skipped: {program.name}: {why}"
            except (Failed, Broken) as error:
                outcome, lines = "failed", f"FAILED: {program.name}\n{indented(str(error))}"
            else:
                outcome, lines = "passed", f"ok: {program.name} ({time.monotonic() - began:.0f} s): {said}"
            with printing:
                counts[outcome] += 1
                print(lines, flush=True)

        # What measures time has the machine for itself.
        alone = [program for program in chosen if program.name == "timing"]
        with ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(run, [program for program in chosen if program not in alone]))
        for program in alone:
            run(program)
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 0 if counts["passed"] and not counts["failed"] else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="programs, all when none is named")
    parser.add_argument("--list", action="store_true", help="list the programs")
    parser.add_argument("--client", choices=("kfp1", "kfp2", "grpc", "openapi"), help="the names are files of programs of your own")
    parser.add_argument("--jobs", type=int, default=2, help="how many to run at once (2)")
    return parser.parse_args()


def choose(options: argparse.Namespace) -> list:
    if options.client:
        return [Program(Path(name).stem, options.client, str(Path(name).resolve())) for name in options.names]
    known = {program.name: program for program in ALL}
    if unknown := [name for name in options.names if name not in known]:
        sys.exit(f"no such program: {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in options.names] or ALL


def summary(program: Program) -> str:
    return (ast.get_docstring(ast.parse(program.path.read_text())) or "").split("\n")[0]


def compile_pipelines(scratch: Path) -> Path:
    packages = scratch / "pipelines"
    packages.mkdir()
    command = [venvs.python("kfp2"), PROGRAMS / "pipelines.py", packages]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failed(f"the pipelines do not compile:\n{done.stdout}{done.stderr}")
    return packages


def one(program: Program, folder: Path, packages: Path) -> str:
    """Runs a program, and gives the last line that it printed."""
    check_machine(program)
    folder.mkdir()
    with contextlib.ExitStack() as after:
        server = None
        if not program.own_server:
            database = after.enter_context(databases.running(program.database))
            server = start_of(program, folder, database)
            after.callback(server.kill)
        try:
            if server is not None:
                server.start()
            env = environment(program, folder, packages, server)
            said = execute(program, env, folder)
            if server is not None:
                server.stop()
            return said
        except (Failed, Broken, venvs.Unavailable) as error:
            raise Failed(f"{error}\n{tail(folder)}") from None


def start_of(program: Program, folder: Path, database) -> Server:
    config, env = program.config, {}
    if program.podman:
        try:
            image = images.image(program.client)
        except images.Unavailable as why:
            raise Skipped(str(why)) from None
        config = {**config, "executor": {"runner": "podman", "podman_runtime": image["runtime"]}}
        env = {"CONTAINERS_STORAGE_CONF": image["storage"]}
    return Server(folder / "server", program.sandbox, program.single_user, config, env=env, database=database)


def check_machine(program: Program) -> None:
    if program.language and (lacking := builds.lacking(program.language)):
        raise Skipped(lacking)
    if program.database and (lacking := databases.lacking(program.database)):
        raise Skipped(lacking)
    if program.browser and not browser():
        raise Skipped(f"none of {', '.join(BROWSERS)} on this machine")
    if program.sandbox == "bwrap":
        if not shutil.which("bwrap"):
            raise Skipped("bubblewrap is not installed")
        tried = subprocess.run(["bwrap", "--ro-bind", "/", "/", "true"], capture_output=True, text=True)
        if tried.returncode != 0:
            raise Skipped(f"bubblewrap does not work here: {tried.stderr.strip()}")
    if program.sandbox == "landlock":
        # landlock_create_ruleset, asked for its version; before the sixth a task could signal processes outside.
        version = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
        if version < 6:
            raise Skipped(f"the kernel's Landlock is of version {max(version, 0)}, and 6 is needed")


def browser() -> str:
    return next((found for name in BROWSERS if (found := shutil.which(name))), "")


def environment(program: Program, folder: Path, packages: Path, server) -> dict:
    """What a program is told: as a user's own programs are, and what only a test may know."""
    home = folder / "home"
    home.mkdir()
    env = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    env |= {
        "HOME": str(home), "TMPDIR": str(home), "SCRATCH": str(folder), "PIPELINES": str(packages),
        "PROTOS": str(ROOT / "proto"), "BULKHEAD": str(BINARY), "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1",
        "KFP_NAMESPACE": "jane-doe", "OTHER_NAMESPACE": "john-roe", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
    }
    if program.client == "grpc":
        env["GRPCURL"] = str(venvs.python("grpc").with_name("grpcurl"))
    env |= {f"{client.upper()}_PYTHON": str(venvs.python(client)) for client in program.also}
    if program.language:
        env["BUILT"] = str(builds.build(program.language))
    if program.database:
        env["DATABASE"] = program.database
    if program.browser:
        env["BROWSER"] = browser()
    if server is None:
        return env
    env |= {
        "KFP_HOST": server.host, "SERVER_ADMIN": server.admin, "SERVER_PID": str(server.process.pid),
        "SERVER_DATA": str(server.data), "SERVER_FOLDER": str(server.folder), "SERVER_SECRET": SECRET,
    }
    if server.single_user:
        return env
    env |= {
        "KF_PIPELINES_SA_TOKEN_PATH": str(server.token("jane@example.com")),
        "OTHER_TOKEN_PATH": str(server.token("john@example.com")),
        "SEVERAL_TOKEN_PATH": str(server.token("sam@example.com")),
        "AGENT_TOKEN_PATH": str(server.token("reporter@example.com")),
    }
    if program.client == "kfp1":
        env["PIPELINE_ID"] = upload(env)
    return env


def upload(env: dict) -> str:
    """The old SDK runs pipelines that are there; this is the one."""
    code = "import rest; print(rest.jane().pipeline('words', 'uploaded-before'))"
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=PROGRAMS, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"the pipeline for the old SDK could not be uploaded:\n{done.stderr}")
    return done.stdout.strip()


def execute(program: Program, env: dict, folder: Path) -> str:
    output = folder / "output.log"
    command = [str(venvs.python(program.client)), "-W", "ignore", str(program.path), *program.words]
    with output.open("wb") as log:
        process = subprocess.Popen(
            command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            status = process.wait(program.seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed(f"it did not end within {program.seconds} s") from None
    if status != 0:
        raise Failed(f"it ended with {status}")
    lines = output.read_text(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "")


def tail(folder: Path) -> str:
    """The ends of what the program and its server said."""
    text = ""
    for file, lines in (("output.log", 60), ("server/server.log", 40)):
        if (folder / file).exists():
            last = (folder / file).read_text(errors="replace").splitlines()[-lines:]
            text += f"--- {file}\n" + "\n".join(line[:2000] for line in last) + "\n"
    return text


def indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


if __name__ == "__main__":
    sys.exit(main())
