"""A real server on loopback, with a data folder of its own."""
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("BULKHEAD", ROOT / "target" / "debug" / "bulkhead"))
START_SECONDS = 60
STOP_SECONDS = 30
# Given to every server, to be found in no task.
SECRET = "keel-laid-in-1912"
# Settings of whoever runs this that are not meant for our servers.
FOREIGN = ("BULKHEAD_", "KUBEFLOW_", "KFP_", "KF_", "MULTIUSER", "PYTHON", "VIRTUAL_ENV")


class Broken(Exception):
    """The server did not do what a server must: start, keep running, stop."""


class Server:
    """`folder` gets everything: data, profiles, tokens, configuration and the log.

    A server can be stopped, or killed, and started again on the same data. `wrap` are words before its command, which must
    end in its place (`exec`), so that its process stays the same. `env` are variables of its own. With a server of
    databases (`harness.databases`) it keeps its tables in a fresh one of those.
    """

    def __init__(self, folder: Path, sandbox: str = "auto", single_user: bool = False, config: dict | None = None,
                 wrap: tuple = (), env: dict | None = None, database=None):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.profiles = self.folder / "profiles"
        self.log = self.folder / "server.log"
        self.single_user = single_user
        self.config = self.folder / "config.yaml"
        self.host = self.admin = None
        self.wrap = wrap
        self.env = {**(env or {}), **({"BULKHEAD_DATABASE_URL": database.fresh()} if database else {})}
        self.process = None
        self.profiles.mkdir(parents=True)
        for source in (ROOT / "docs" / "examples" / "profiles", ROOT / "integration-tests" / "profiles"):
            shutil.copytree(source, self.profiles, dirs_exist_ok=True)
        self.config.write_text(json.dumps({"executor": {"sandbox": sandbox}, **(config or {})}) + "\n")  # JSON is YAML

    def start(self, *options: str) -> "Server":
        command = [*self.wrap, BINARY, "serve", "--config", self.config, "--data-dir", self.data, "--profiles", self.profiles]
        command += ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", *options]
        env = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
        env |= {"AWS_SECRET_ACCESS_KEY": SECRET, **self.env}
        if self.single_user:
            env["MULTIUSER"] = "false"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        ready = self._ready()
        if "BULKHEAD_DATABASE_URL" in self.env and (self.data / "bulkhead.db").exists():
            raise Broken("the server keeps its tables in a file, and not in the database that it was given")
        self.host = f"http://{ready['listen'][0]}"
        self.admin = f"http://{ready['admin']}"
        return self

    def _ready(self) -> dict:
        """The first line on stdout. What follows is read for as long as the server lives, so that it never blocks."""
        found, lines = threading.Event(), []

        def read(stream):
            for line in stream:
                lines.append(line)
                found.set()
            found.set()

        threading.Thread(target=read, args=[self.process.stdout], daemon=True).start()
        found.wait(START_SECONDS)
        try:
            ready = json.loads(lines[0])
        except (IndexError, ValueError):
            self.kill()
            raise Broken(f"the server was not ready within {START_SECONDS} s; it said {lines!r}") from None
        if ready.get("event") != "ready":
            self.kill()
            raise Broken(f"the server's first line is not that it is ready: {lines[0]!r}")
        return ready

    def token(self, user: str, groups: tuple = (), verbs: tuple = (), namespaces: tuple = (), name: str = "") -> Path:
        """A file, called after `name` or the user, with a new token of `user`, who is in these groups; it is good for
        these verbs and namespaces, or for all.
        """
        options = []
        for flag, values in (("--group", groups), ("--verb", verbs), ("--namespace", namespaces)):
            options += [part for value in values for part in (flag, value)]
        file = self.folder / f"{name or user}.token"
        file.touch(mode=0o600)
        file.write_text(self.secret(user, *options) + "\n")
        return file

    def secret(self, user: str, *options: str) -> str:
        """The text of a new token, made with more options of `bulkhead token create`, such as `--group` and a name."""
        said = self.command("token", "create", "--user", user,
                            *(options if "--expires" in options else ("--expires", "1d", *options)))
        return said.strip().splitlines()[-1]

    def command(self, *words: str) -> str:
        """What a command says that works on the data folder, beside the server."""
        done = subprocess.run([str(BINARY), *words, "--data-dir", str(self.data)], env={**os.environ, **self.env},
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Broken(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def stop(self) -> None:
        """Asks the server to end.

        Raises `Broken` if it had ended by itself, does not end, or ends with a failure.
        """
        if self.process is None:
            return
        process, self.process = self.process, None
        ended = process.poll()
        if ended is not None:
            raise Broken(f"the server had ended by itself with {ended}")
        process.terminate()
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Broken(f"the server did not end within {STOP_SECONDS} s of SIGTERM") from None
        if status != 0:
            raise Broken(f"the server ended with {status} after SIGTERM")

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.kill()
        process.wait()
