"""The rows of the table: for each RPC how a valid request is made, and what an admitted one is answered with."""
import base64
import fnmatch
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from matrix.rules import PLACELESS, Check, Rpc, Route

WORDS = {"fields", "variants", "admitted", "fresh", "failed", "routes", "because"}
# Of services that the protos do not have.
PUBLIC = Check("public", "", "", "", "", "REFUSE", "", False, "ITSELF")


class Wrong(Exception):
    """The table does not fit the RPCs, or says what nobody understands."""


@dataclass(frozen=True)
class Row:
    # The request's fields, but for those that the rule is about.
    fields: dict = field(default_factory=dict, hash=False)
    # Further fields, and what is answered to who is admitted with them. `absent` names a field with an id that has to
    # look as if it were not there.
    variants: dict = field(default_factory=dict, hash=False)
    # By patterns of a case, or of `caller: case`: the codes of those who are admitted, OK where none fits.
    admitted: dict = field(default_factory=dict, hash=False)
    # The kind of object that the call uses up, and whether it has to have failed before.
    fresh: str = ""
    failed: bool = False
    # Routes of HTTP that the protos lack.
    routes: tuple = ()
    # Why it has no rule of its own.
    because: str = ""

    def code(self, caller: str, case: str) -> str:
        for pattern, code in self.admitted.items():
            if fnmatch.fnmatchcase(case, pattern) or fnmatch.fnmatchcase(f"{caller}: {case}", pattern):
                return code
        return "OK"

    def absent(self, variant: str, request) -> str:
        """The id that a variant says must look as if it were not there."""
        field = self.variants[variant].get("absent") if variant else None
        return getattr(request, field) if field else ""


def read(folder: Path) -> dict:
    """The rows by the full names of their RPCs."""
    rows = {}
    for file in sorted(folder.glob("rows/*.yaml")):
        for service, entries in yaml.safe_load(file.read_text()).items():
            for name, entry in entries.items():
                where = f"{service}/{name}"
                if where in rows:
                    raise Wrong(f"{where} has two rows, one of them in {file.name}")
                rows[where] = row(where, entry or {})
    return rows


def row(where: str, entry: dict) -> Row:
    if unknown := entry.keys() - WORDS:
        raise Wrong(f"{where}: unknown words: {', '.join(sorted(unknown))}")
    admitted = entry.get("admitted", {})
    admitted = {"*": admitted} if isinstance(admitted, str) else admitted
    routes = tuple(Route(*route.split(" ")) for route in entry.get("routes", ()))
    return Row(**{**entry, "admitted": admitted, "routes": routes})


def differences(rpcs: list, rows: dict) -> list:
    """An RPC without a row, and a row without an RPC."""
    names = {rpc.full_name for rpc in rpcs}
    lines = [f"{name} has no row" for name in sorted(names - rows.keys())]
    lines += [f"there is a row for {name}, and no such RPC" for name in sorted(rows.keys() - names)]
    for rpc in rpcs:
        row = rows.get(rpc.full_name)
        if row and PUBLIC in rpc.checks and not row.because:
            lines.append(f"{rpc} is for everybody, and its row does not say why (`because`)")
    return lines


def routes(rpc: Rpc, row: Row) -> tuple:
    return rpc.routes + row.routes


def is_placeless(rpc: Rpc) -> bool:
    return all(check.where in PLACELESS for check in rpc.checks)


def merged(one: dict, other: dict) -> dict:
    """The members of both, those of the other where both have one."""
    both = dict(one)
    for key, value in other.items():
        both[key] = merged(both[key], value) if isinstance(value, dict) and isinstance(both.get(key), dict) else value
    return both


def filled(value, words: dict):
    """`value` with what its words stand for: `$fresh` is a name that nothing else has."""
    if isinstance(value, dict):
        return {key: filled(each, words) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, words) for each in value]
    if isinstance(value, str) and value.startswith("$"):
        if value not in words:
            raise Wrong(f"{value} stands for nothing")
        return words[value]() if callable(words[value]) else words[value]
    return value


def encoded(text: str) -> str:
    """Bytes as protobuf's JSON has them."""
    return base64.b64encode(text.encode()).decode()
