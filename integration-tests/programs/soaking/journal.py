"""Who asked for what, how that ended, and so what may be there."""
import http.client
import threading
from collections import Counter
from dataclasses import dataclass, field

ABSENT, AVAILABLE, ARCHIVED = "absent", "AVAILABLE", "ARCHIVED"


@dataclass
class Thing:
    """An experiment, a run or a pipeline, which one worker alone touches. Names are used once."""
    kind: str
    namespace: str
    name: str
    # What it may be now: more than one thing while nobody knows how a request has ended.
    may: set
    id: str = ""
    # Of a run: its experiment.
    parent: "Thing | None" = None
    # Of an experiment: it is archived with its runs, in one piece or not at all.
    box: bool = False

    def known(self) -> str:
        """What it is, if that is known."""
        return next(iter(self.may)) if len(self.may) == 1 else ""


@dataclass
class Journal:
    things: dict = field(default_factory=dict)
    outcomes: Counter = field(default_factory=Counter)
    wrong: list = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, thing: Thing) -> Thing:
        with self.lock:
            self.things[thing.kind, thing.namespace, thing.name] = thing
        return thing

    def ask(self, thing: Thing, becomes: str, call):
        """Sends what makes the thing be that, and notes how it ended. Gives the answer of a success."""
        before = set(thing.may)
        # Noted before it is sent: whoever dies now has asked for it.
        thing.may = before | {becomes}
        try:
            answer = call()
        except (OSError, http.client.HTTPException):
            return self.note(thing, "no answer")
        if answer.status == 200:
            thing.may = {becomes}
            self.note(thing, "acknowledged")
            return answer
        if answer.status in (503, 504):
            return self.note(thing, "unknown")
        thing.may = before
        if answer.status != 429:
            with self.lock:
                self.wrong.append(f"{thing.kind} {thing.name} to {becomes}: {answer.status} {answer.text()[:300]}")
        return self.note(thing, "refused")

    def note(self, thing: Thing, outcome: str) -> None:
        with self.lock:
            self.outcomes[outcome] += 1

    def forget(self, things: list) -> None:
        with self.lock:
            for thing in things:
                del self.things[thing.kind, thing.namespace, thing.name]
