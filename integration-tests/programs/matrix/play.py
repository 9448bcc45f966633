"""Plays cells: one request of one caller over one transport, held against what the oracle says."""
import http.client
import random
import re
from dataclasses import dataclass

from google.protobuf import json_format

from matrix import message, rest, table
from matrix.calls import STATUS, Answer, Grpc, Http
from matrix.callers import Caller
from matrix.cases import Case, cases
from matrix.oracle import ADMITTED, BY_ID, Oracle, Verdict
from matrix.rules import Route, Rpc
from matrix.tally import GRPC, WEB, Tally
from matrix.words import words
from matrix.world import World

UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Task:
    """One case and one caller, over all transports."""
    rpc: Rpc
    row: table.Row
    case: Case
    caller: Caller
    transports: tuple


@dataclass(frozen=True)
class Player:
    pool: object
    rows: dict
    people: list
    oracle: Oracle
    world: World
    grpc: Grpc
    http: Http

    def tasks(self, rpcs: list) -> list:
        found = []
        for rpc in rpcs:
            row = self.rows[rpc.full_name]
            for number, case in enumerate(cases(rpc, row)):
                ways = (GRPC, *table.routes(rpc, row))
                # The frames are the same for all, so a sample will do. Streams of services beyond the protos may never
                # end.
                ways += (WEB,) if number == 0 and table.PUBLIC not in rpc.checks else ()
                found += [Task(rpc, row, case, caller, ways) for caller in self.people]
        return found

    def play(self, task: Task) -> Tally:
        tally, request, verdict = Tally(), None, None
        for transport in task.transports:
            # A call that is refused leaves its objects as they are, so the next one can be the same.
            if request is None or verdict.code == ADMITTED:
                request, verdict, names = self.prepare(task)
                if request is None:
                    return tally
                if verdict.code != ADMITTED:
                    tally.refused |= names
            try:
                self.cell(tally, task, transport, request, verdict)
            except (http.client.HTTPException, OSError) as error:
                self.differs(tally, task, transport, request, verdict, f"no answer: {error!r}")
        return tally

    def prepare(self, task: Task) -> tuple:
        """The request, what the oracle says of it, and the names in it that nothing has yet."""
        given = words(self.world, task.caller, self.people)

        def judged(fresh: bool):
            made = message.request(task.rpc, task.row, task.case, self.world, given, self.pool, fresh)
            return made, made is not None and self.oracle.judge(task.rpc, made, task.caller)

        request, verdict = judged(fresh=False)
        if request is not None and verdict.code == ADMITTED and task.row.fresh:
            request, verdict = judged(fresh=True)
        return request, verdict, given["$fresh"].taken

    def cell(self, tally: Tally, task: Task, transport, request, verdict: Verdict) -> None:
        answer = self.call(task, transport, request)
        if answer is None:
            return
        admitted = verdict.code == ADMITTED
        expected = task.row.code(task.caller.name, task.case.name) if admitted else verdict.code
        way, kind = transport if isinstance(transport, str) else "REST", "admitted" if admitted else "refused"
        tally.cells[way, expected, kind] += 1
        tally.met.add((task.rpc.full_name, str(transport), admitted))
        wrong = against(transport, expected, answer) or self.tells(task, request, answer)
        absent = verdict.absent or task.row.absent(task.case.variant, request)
        if not wrong and absent and expected == "NOT_FOUND":
            tally.twins += 1
            wrong = self.against_absent(task, transport, request, absent, answer)
        if wrong:
            self.differs(tally, task, transport, request, verdict, wrong)

    def against_absent(self, task: Task, transport, request, id_: str, answer: Answer) -> str:
        """An id that may not be known of must be answered as one that nothing has, byte for byte."""
        # Ids of tokens are no UUIDs, and lengths are visible.
        other = re.sub("[0-9a-f]", lambda _: random.choice("0123456789abcdef"), id_)
        twin = self.call(task, transport, message.replaced(request, id_, other))
        seen, elsewhere = answer.blotted(id_), twin.blotted(other)
        return "" if seen == elsewhere else f"expected what an absent id is answered, {elsewhere}; seen {seen}"

    def tells(self, task: Task, request, answer: Answer) -> str:
        """What an answer tells of objects that the caller may not get, and has not named."""
        named = set(UUID.findall(request.SerializeToString()))
        for id_ in set(UUID.findall(answer.body)) - named:
            thing = self.world.things.get(id_.decode())
            # A run shows of which pipeline it was made to everybody who may get the run.
            if thing is None or thing.kind in ("pipeline", "pipeline_version"):
                continue
            resource = BY_ID[f"{thing.kind}_field"]
            if not task.caller.known or not self.oracle.rbac.allows(task.caller, "get", resource, thing.place, thing.name):
                return f"the answer tells of the {thing.kind} {thing.id} in {thing.place}: {answer}"
        return ""

    def call(self, task: Task, transport, request) -> Answer | None:
        """None if the route cannot say it."""
        if transport == GRPC:
            return self.grpc.call(task.rpc, request, task.caller.headers)
        if transport == WEB:
            return self.http.web(task.rpc, request, task.caller.headers)
        asked = rest.request(transport, request, self.pool)
        return asked and self.http.call(asked.method, asked.path, task.caller.headers | dict(asked.headers), asked.body)

    def differs(self, tally: Tally, task: Task, transport, request, verdict: Verdict, wrong: str) -> None:
        said = json_format.MessageToDict(request, preserving_proto_field_name=True, descriptor_pool=self.pool)
        tally.differences.append(
            f"{task.rpc} | {task.caller.name} | {task.case.name or '-'} | {transport}: {wrong}\n"
            f"    request: {str(said)[:600]}\n    rule: {task.rpc.rule}\n    oracle: {verdict.code}, {verdict.why}")


def against(transport, expected: str, answer: Answer) -> str:
    """What is wrong with an answer, nothing if it is as expected."""
    if answer.code != expected:
        return f"expected {expected}, seen {answer}"
    if isinstance(transport, Route) and answer.status != STATUS[expected]:
        return f"expected the status {STATUS[expected]}, seen {answer}"
    return ""
