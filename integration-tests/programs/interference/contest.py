"""One seed: a tenant who plays in two worlds, beside another one in the first of them, and alone in the second."""
import collections
import re
import threading
import uuid
from pathlib import Path

import specs
from interference import moves
from interference.normal import ID, differences
from interference.request import Request
from interference.tenant import Tenant
from interference.world import Answer, Seat, servers

# At every fourth seed the other tenant plays at the same time rather than in between.
AT_ONCE = 4
BETWEEN = 6
SHARED = {"greetings": specs.HELLO, "failures": specs.FAIL}


class Difference(Exception):
    """The tenant can tell the two worlds apart, and by what."""


class Contest:
    """`leaky` lets the other one play with the tenant's own credentials, which has to be noticed."""

    def __init__(self, folder: Path, seed: int, database=None, leaky: bool = False):
        self.seed, self.counts, self.routes = seed, collections.Counter(), collections.Counter()
        self.servers = servers(folder, database)
        self.shared: set = set()
        self.foreign: set = set()
        self.here, self.alone = (Seat(server, "john@example.com", self.foreign) for server in self.servers)
        self.theirs = Seat(self.servers[0], "john@example.com" if leaky else "jane@example.com", set())
        namespaces = ("john-roe", "john-roe") if leaky else ("jane-doe", "john-roe")
        self.other = Tenant("A", *namespaces, f"A {seed}", moves.FIRST, moves.HEAVY, lambda: by_kind(self.here, self.shared))
        self.tenant = Tenant("B", "john-roe", "jane-doe", f"B {seed}", moves.FIRST, moves.ALL, lambda: {}
                             if leaky else by_kind(self.theirs, self.shared))
        self.over = threading.Event()

    def play(self, calls: int) -> None:
        self.share()
        at_once = threading.Thread(target=self.disturb, daemon=True) if self.seed % AT_ONCE == AT_ONCE - 1 else None
        if at_once:
            at_once.start()
        try:
            for number in range(calls):
                for _ in range(0 if at_once else self.other.rng.randrange(BETWEEN)):
                    self.other_plays()
                self.compare(number, self.tenant.choose())
            for number, move in enumerate(moves.LAST, calls):
                self.compare(number, self.tenant.make(move))
        finally:
            self.over.set()
            if at_once:
                at_once.join()
        for server in self.servers:
            server.stop()

    def share(self) -> None:
        """Pipelines that are there for everybody, the same in both worlds."""
        seats = [Seat(server, "publisher@example.com", set()) for server in self.servers]
        for name, spec in SHARED.items():
            body = {"pipeline": {"name": name}, "pipeline_version": {"pipeline_spec": spec}}
            mark = self.tenant.mark("pipeline")
            for publisher, kept in zip(seats, ([self.here, self.theirs], [self.alone])):
                answer = publisher.ask(Request("POST", "/apis/v2beta1/pipelines/create", body=body))
                assert publisher.save(mark, answer, "pipeline_id"), answer
                of = f"/apis/v2beta1/pipelines/{publisher.values[mark]}"
                versions = publisher.ask(Request("GET", f"{of}/versions"))
                self.shared.update(ID.findall((answer.body + versions.body).decode()))
                for seat in kept:
                    seat.values[mark] = publisher.values[mark]
            for player in (self.tenant, self.other):
                player.marks.setdefault("pipeline", []).append(mark)
        self.other.count = self.tenant.count

    def disturb(self) -> None:
        while not self.over.is_set():
            self.other_plays()

    def other_plays(self) -> None:
        request = self.other.choose()
        while request is not None:
            answer = self.theirs.ask(request)
            self.counts["others"] += 1
            assert answer.status < 500 or answer.status == 501, f"A asked {request} and heard {answer}"
            seen = set(ID.findall(answer.body.decode(errors="replace")))
            self.foreign |= seen - self.shared - {text for _, text in list(self.here.normaliser.numbers)}
            saved = saved_by(self.other, request, answer, [(self.theirs, answer)])
            request = request.then(saved) if request.then and request.saves[0][0] in saved else None

    def compare(self, number: int, request: Request) -> None:
        while request is not None:
            pairs = [(seat, seat.ask(request)) for seat in (self.here, self.alone)]
            here, alone = (answer for _, answer in pairs)
            normal, lone = (seat.normaliser.normal(answer.status, answer.headers, answer.body) for seat, answer in pairs)
            self.counts[here.status] += 1
            self.counts["calls"] += 1
            self.routes[request.method, re.sub(r"‹[^›]*›|" + ID.pattern, "x", request.path.split("?")[0])] += 1
            if found := differences(normal, lone):
                raise Difference(f"call {number}, {request}\n" + "\n".join(found))
            assert here.status < 500 or here.status == 501, f"call {number}, {request}: {here}"
            for seat, answer in pairs:
                if wrong := seat.misdated(request, answer):
                    raise Difference(f"call {number}, {request}: the last run was made at another time: {wrong}")
            if request.foreign:
                self.same_as_absent(number, request, here)
            saved = saved_by(self.tenant, request, here, pairs)
            run = saved.get("run") if request.settles == "run" else request.settles
            if here.status == 200 and run:
                for seat in (self.here, self.alone):
                    seat.rest(run)
            request = request.then(saved) if request.then and request.saves[0][0] in saved else None

    def same_as_absent(self, number: int, request: Request, foreign: Answer) -> None:
        """The same with ids that nothing has: the answer must be the same, byte for byte, but for the id in it."""
        self.counts["foreign"] += 1
        instead = {id_: (str(uuid.uuid4()) if ID.fullmatch(id_) else uuid.uuid4().hex)[:len(id_)] for id_ in request.foreign}
        asked = replaced(request, instead)
        answers = [seat.ask(asked) for seat in (self.here, self.alone)]
        if foreign.status == 200 and request.method != "GET":
            raise Difference(f"call {number}, {request}: an id of somebody else's was taken")
        views = []
        for answer, ids in ((foreign, instead.keys()), (answers[0], instead.values())):
            body = answer.body
            for id_ in ids:
                body = body.replace(id_.encode(), b"I" * len(id_))
            normal = self.here.normaliser.normal(answer.status, answer.headers, body)
            views.append((normal.status, normal.headers, re.sub(r"<page token \d+>", "<page token>", normal.body)))
        if views[0] != views[1]:
            raise Difference(f"call {number}, {request} tells an id of somebody else's from an absent one:\n{views[0]}\n{views[1]}")

    def end(self) -> None:
        for server in self.servers:
            server.kill()


def by_kind(seat: Seat, shared: set) -> dict:
    """What a tenant has, as texts."""
    found: dict = {}
    for mark, value in seat.values.copy().items():
        if value not in shared:
            found.setdefault(mark[1:].split(":")[0], []).append(value)
    return found


def replaced(request: Request, instead: dict) -> Request:
    def change(value):
        if isinstance(value, dict):
            return {key: change(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [change(each) for each in value]
        for id_, other in instead.items():
            value = value.replace(id_, other) if isinstance(value, str) else value
        return value

    return Request(request.method, change(request.path), change(request.query), change(request.body), request.upload,
                   request.headers, request.credentials)


def saved_by(tenant: Tenant, request: Request, answer: Answer, pairs: list) -> dict:
    """The marks that came of an answer, in every world in which it was asked for."""
    saved = {}
    if answer.status == 200:
        for kind, place in request.saves:
            mark = tenant.mark(kind)
            if all([seat.save(mark, each, place) for seat, each in pairs]):
                saved[kind] = mark
        tenant.learn(request, saved)
    return saved
