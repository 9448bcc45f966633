"""What a tenant knows and picks from; the same in every world."""
import random
import uuid

from interference.request import Request

# Few, so that names meet: within a namespace, and, since both tenants have the same, between namespaces.
NAMES = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
KINDS = ("experiment", "pipeline", "version", "run", "task", "artifact", "recurring", "token_id")


class Tenant:
    """Somebody who makes requests by chance.

    `others` gives ids of the other tenant's by kind, as texts: the test hands them over, since nobody could guess them.
    """

    def __init__(self, name: str, namespace: str, stranger: str, seed: str, first: list, moves: list, others):
        self.name, self.namespace, self.stranger = name, namespace, stranger
        self.rng = random.Random(seed)
        self.first, self.moves = list(first), moves
        self.others = others
        # Marks by kind, what each belongs to, and those that are gone.
        self.marks: dict = {}
        self.parents: dict = {}
        self.gone: set = set()
        self.lists: list = []
        self.count = 0
        self.foreign: list = []
        # Whether the next ids are all to be the other tenant's.
        self.curious = False

    def choose(self) -> Request:
        return self.make(self.first.pop(0) if self.first else self.rng.choices(*zip(*self.moves))[0])

    def make(self, move) -> Request:
        self.foreign = []
        request = move(self)
        request.foreign = tuple(self.foreign)
        return request

    def mark(self, kind: str) -> str:
        self.count += 1
        return f"‹{kind}:{self.count}›"

    def learn(self, request: Request, saved: dict) -> None:
        """Of a request that was answered with 200: `saved` has the marks of each kind that came of it."""
        self.gone.update(request.gone)
        for kind, mark in saved.items():
            if kind == "page token":
                self.lists.append((request.listed, mark))
                continue
            self.marks.setdefault(kind, []).append(mark)
            self.parents[mark] = request.parent

    def live(self, kind: str) -> str:
        """One of the tenant's own that is there, or the mark of nothing."""
        there = [mark for mark in self.marks.get(kind, []) if mark not in self.gone and self.parents.get(mark) not in self.gone]
        # What is new is of more interest.
        return self.rng.choice(there[-6:] + there) if there else self.absent()

    def some(self, kind: str) -> str:
        """An id of this kind: mostly an own one, at times what was there, is not there, or is the other tenant's."""
        luck = 0.83 + 0.14 * self.rng.random() if self.curious else self.rng.random()
        known = self.marks.get(kind, [])
        if luck < 0.70 or not known and luck < 0.77:
            return self.live(kind)
        if luck < 0.77:
            return self.rng.choice(known)
        if luck < 0.79:
            return self.absent()
        if luck < 0.81:
            return self.rng.choice(["x", "-", "..%2F..%2Fetc%2Fpasswd", "%00", "0" * 36, "A" * 300, "*"])
        if luck < 0.83:
            return self.live(self.rng.choice([*KINDS, "page token"]))
        theirs = self.others().get(kind if luck < 0.97 else self.rng.choice(KINDS), [])
        if not theirs:
            return self.absent()
        id_ = self.rng.choice(theirs)
        self.foreign.append(id_)
        return id_

    def absent(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def word(self) -> str:
        return self.rng.choice(NAMES)

    def chance(self, part: float) -> bool:
        return self.rng.random() < part

    def where(self) -> str:
        """A namespace: mostly the tenant's own."""
        luck = self.rng.random()
        if luck < 0.82:
            return self.namespace
        return self.stranger if luck < 0.92 else self.rng.choice(["", "-", "no-tenant", "kubeflow", "Not A Name"])
