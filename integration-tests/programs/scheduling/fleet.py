"""Several servers that share a database, of which some are down, or stand still, at times."""
import random
import signal
import threading
import time
import urllib.parse
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import rest
from harness.server import Server

# Once a leader is gone, another one fires within so many seconds.
TAKEOVER = 15
TENANTS = {"jane-doe": "jane@example.com", "john-roe": "john@example.com"}
CONFIG = {"log": {"level": "info"}, "executor": {"max_tasks": 4}}


@dataclass
class Member:
    name: str
    server: Server
    # When it is to go on, by the steady clock; 0 while it does.
    back_at: float = 0
    killed: bool = False

    @property
    def up(self) -> bool:
        return not self.back_at

    def metric(self, name: str) -> float:
        connection = HTTPConnection(urllib.parse.urlsplit(self.server.admin).netloc, timeout=10)
        try:
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
        finally:
            connection.close()
        return next(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def leads(self) -> bool:
        return self.up and self.metric("bulkhead_schedule_leads") == 1


class Fleet:
    """`names` is who there is; the first one to start is the one that runs tasks."""

    def __init__(self, folder: Path, database, names: tuple, rng: random.Random):
        self.rng, url = rng, database.fresh()
        self.members = [Member(name, Server(folder / name, config=CONFIG, env={"BULKHEAD_DATABASE_URL": url})) for name in names]
        self.members[0].server.start()
        starting = [threading.Thread(target=member.server.start) for member in self.members[1:]]
        for thread in starting:
            thread.start()
        for thread in starting:
            thread.join()
        self.tokens = {namespace: self.members[0].server.secret(user) for namespace, user in TENANTS.items()}

    def who(self, namespace: str, member: Member | None = None) -> rest.Rest:
        """A tenant, at one of the servers that answer."""
        member = member or self.rng.choice([member for member in self.members if member.up])
        return rest.Rest(member.server.host, self.tokens[namespace])

    def strike(self, longest: float) -> str:
        """Kills one for a moment, or has it stand still, unless it is the last one that goes on; says what was done."""
        going_on = [member for member in self.members if member.up]
        if len(going_on) == 1:
            return ""
        member, away = self.rng.choice(going_on), self.rng.uniform(0.5, longest)
        member.killed = self.rng.random() < 0.5
        if member.killed:
            # To start again takes time as well.
            away = min(away, 3)
            member.server.kill()
        else:
            member.server.process.send_signal(signal.SIGSTOP)
        member.back_at = time.monotonic() + away
        return f"{member.name} {'killed' if member.killed else 'stopped'} for {away:.1f} s"

    def mend(self, all_: bool = False) -> None:
        """Those whose time is over go on."""
        for member in self.members:
            if member.back_at and (all_ or member.back_at <= time.monotonic()):
                if member.killed:
                    member.server.start()
                else:
                    member.server.process.send_signal(signal.SIGCONT)
                member.back_at = 0

    def leader(self, within: float = TAKEOVER) -> Member:
        """The one that fires, as soon as there is one."""
        deadline = time.monotonic() + within
        while len(leading := [member for member in self.members if member.leads()]) != 1:
            assert time.monotonic() < deadline, f"after {within} s {[member.name for member in leading]} fire"
            time.sleep(0.1)
        return leading[0]

    def end(self) -> None:
        for member in self.members:
            member.server.kill()
