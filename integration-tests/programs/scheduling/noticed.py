"""Whether what must not be would be noticed: a check that cannot fail proves nothing."""
from scheduling import outcome
from scheduling.plan import Plan, text

CREATED, MOMENTS = 1000, 10


class Told:
    """Ticks and runs as a server would tell them."""

    def __init__(self):
        at = [text(CREATED + 1 + number) for number in range(MOMENTS)]
        self.ticks = [{"fire_time": time, "until_time": time, "decided_at": time, "moments": "1", "outcome": "FIRED", "run_id": f"run {n}"}
                      for n, time in enumerate(at)]
        self.runs = [{"run_id": f"run {n}", "scheduled_at": time, "finished_at": text(CREATED + 2 + n), "display_name": f"name {n}"}
                     for n, time in enumerate(at)]

    def ok(self, _: str, path: str, query: dict | None = None) -> dict:
        if path.endswith("/ticks"):
            return {"ticks": self.ticks[::-1]}
        if path.endswith("/runs"):
            return {"runs": self.runs}
        return {"display_name": "told", "recurring_run_id": "told", "experiment_id": "told", "created_at": text(CREATED)}

    def without_a_run(self, outcome: str, moments: str = "1") -> None:
        self.ticks[3] = {**self.ticks[3], "outcome": outcome, "moments": moments, "run_id": ""}
        del self.runs[3]


def between(told: Told) -> None:
    """A moment between two others."""
    told.ticks[3] |= dict.fromkeys(("fire_time", "until_time"), text(CREATED + 4).replace("Z", ".5Z"))


LAST = Plan(1, catchup=False)
# What is wrong, how that comes to be, and of which plan.
WRONG = [
    ("a moment is lost", lambda told: (told.ticks.pop(3), told.runs.pop(3)), Plan(1)),
    ("a moment is lost without catch-up", lambda told: (told.ticks.pop(3), told.runs.pop(3)), LAST),
    ("a moment is decided on twice", lambda told: told.ticks.append({**told.ticks[3], "run_id": "another"}), Plan(1)),
    ("a run is lost", lambda told: told.runs.pop(3), Plan(1)),
    ("a run is there twice", lambda told: told.runs.append({**told.runs[3], "run_id": "another"}), Plan(1)),
    ("a run is of two moments", lambda told: told.ticks[4].update(run_id="run 3"), Plan(1)),
    ("a moment is none", between, Plan(1)),
    ("a run is of another moment", lambda told: told.runs[3].update(scheduled_at=text(CREATED + 9)), Plan(1)),
    ("a moment is not caught up with", lambda told: told.without_a_run("MISSED"), Plan(1)),
    ("a moment is refused", lambda told: told.without_a_run("REFUSED"), Plan(1)),
    ("moments are counted wrong", lambda told: told.without_a_run("MISSED", "2"), LAST),
    ("two runs go on at one time", lambda told: told.runs[3].update(finished_at=text(CREATED + 7)), Plan(1)),
    ("a run never ends", lambda told: told.runs[3].update(finished_at=text(0)), Plan(1)),
    ("two runs have one name", lambda told: told.runs[3].update(display_name="name 2"), Plan(1)),
]


def check() -> None:
    """Raises AssertionError for what would not be noticed, and for what would be although all is well."""
    outcome.check(Told(), Plan(1), "told")
    missed = Told()
    missed.without_a_run("MISSED")
    outcome.check(missed, LAST, "told")
    for what, change, plan in WRONG:
        change(told := Told())
        try:
            outcome.check(told, plan, "told")
        except AssertionError:
            continue
        raise AssertionError(f"it would not be noticed that {what}")
