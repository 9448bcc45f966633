"""PostgreSQL and MariaDB on loopback, each in a folder of its own."""
import contextlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

SECONDS = 60


class Unavailable(Exception):
    """A server cannot run on this machine, and why."""


def lacking(kind: str) -> str:
    """What this machine lacks for such a server, or nothing."""
    try:
        KINDS[kind].programs()
    except Unavailable as why:
        return str(why)
    return ""


@contextlib.contextmanager
def running(kind: str):
    """Such a server for as long as it is needed, or nothing where the kind is empty: then everything is kept in files.

    A path to a socket must be short, so that its folder is not among those of a test.
    """
    if not kind:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="bulkhead-database-", dir="/tmp", ignore_cleanup_errors=True) as home:
        database = KINDS[kind](Path(home) / kind)
        try:
            yield database.start()
        finally:
            database.kill()


class Database:
    """A server of databases with one that is empty. It can be killed, and started again on the same data."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = None
        self.names = (f"world_{number}" for number in itertools.count())
        self.install()

    def start(self) -> "Database":
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([str(word) for word in self.command()], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.1)
        return self

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def fresh(self) -> str:
        """The URL of another one that is empty."""
        name = next(self.names)
        self.create(name)
        return f"{self.url.rpartition('/')[0]}/{name}"

    def run(self, *words) -> subprocess.CompletedProcess:
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def done(self, *words) -> str:
        done = self.run(*words)
        if done.returncode != 0:
            raise RuntimeError(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout


class Postgres(Database):
    @staticmethod
    def programs() -> Path:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        found = found[-1] if found else shutil.which("initdb")
        if not found:
            raise Unavailable("PostgreSQL is not installed")
        return Path(found).resolve().parent

    def install(self) -> None:
        self.bin, self.data = self.programs(), self.folder / "data"
        # It refuses to run as root.
        self.prefix = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            shutil.chown(self.folder, user.pw_uid, user.pw_gid)
            for parent in self.folder.parents:
                if parent.stat().st_uid == 0 and not parent.stat().st_mode & 1:
                    parent.chmod(parent.stat().st_mode | 0o711)
            self.prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self.done(*self.prefix, self.bin / "initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "-D", self.data)
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def command(self) -> list:
        return [*self.prefix, self.bin / "postgres", "-D", self.data, "-p", self.port, "-c", "listen_addresses=127.0.0.1",
                "-c", f"unix_socket_directories={self.folder}"]

    def answers(self) -> bool:
        return self.run(self.bin / "pg_isready", "-h", "127.0.0.1", "-p", self.port).returncode == 0

    def create(self, name: str) -> None:
        self.done(self.bin / "createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", name)


class Mysql(Database):
    @staticmethod
    def programs() -> None:
        for program in ("mariadbd", "mariadb-install-db", "mariadb"):
            if not shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
                raise Unavailable(f"MariaDB is not installed: there is no {program}")

    def install(self) -> None:
        self.programs()
        self.data = self.folder / "data"
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.done("mariadb-install-db", "--no-defaults", f"--user={self.user}", f"--datadir={self.data}",
                  "--auth-root-authentication-method=normal", "--skip-test-db")
        self.url = f"mysql://root@127.0.0.1:{self.port}/bulkhead"

    def command(self) -> list:
        return [shutil.which("mariadbd", path="/usr/sbin:/usr/bin"), "--no-defaults", f"--user={self.user}", f"--datadir={self.data}",
                "--bind-address=127.0.0.1", f"--port={self.port}", f"--socket={self.folder}/s", f"--pid-file={self.folder}/pid"]

    def answers(self) -> bool:
        return self.run(*self.saying("CREATE DATABASE IF NOT EXISTS bulkhead")).returncode == 0

    def create(self, name: str) -> None:
        self.done(*self.saying(f"CREATE DATABASE {name}"))

    def saying(self, sql: str) -> tuple:
        return "mariadb", "--no-defaults", "-uroot", "-h127.0.0.1", f"-P{self.port}", "-e", sql


KINDS = {"postgres": Postgres, "mysql": Mysql}
