"""Cases, the defects that they are about, and what must hold in one."""
import inspect
import time
from dataclasses import dataclass

CASES: list = []
NOT_HERE: dict = {}


@dataclass(frozen=True)
class Case:
    function: object
    defects: tuple

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def sentence(self) -> str:
        return " ".join((inspect.getdoc(self.function) or "").split())


def regression(*defects: str):
    """Makes a case of a function, which is named after the first of the defects of `defects.py` that it is about."""
    def keep(function):
        CASES.append(Case(function, defects))
        return function

    return keep


def not_here(defect: str, reason: str) -> None:
    """Says why a defect cannot be had here."""
    NOT_HERE[defect] = reason


def until(condition, what: str, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return found
