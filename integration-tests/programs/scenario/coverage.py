"""Whether each route has been met by a success, a bad input and refusals.

What a step is about, its status tells: 401 is for who is nobody, 403 for who may not, and 404 for what is not there, or,
when it is John who asks, for what is Jane's.
"""
import re
from pathlib import Path

import yaml

from scenario.file import FOLDER

VERBS = re.compile(
    r'\bpackage\s+(?P<package>[\w.]+)\s*;|\bservice\s+(?P<service>\w+)|\brpc\s+(?P<rpc>\w+)'
    r'|\b(?P<method>get|post|put|patch|delete)\s*:\s*"(?P<path>/apis/[^"]+)"')
KINDS = ("success", "bad input", "refusal of a stranger", "refusal of nobody")


def declared(protos: Path) -> dict:
    """The routes of the protos, and the RPC of each."""
    routes = {}
    for proto in sorted(protos.rglob("*.proto")):
        text = re.sub(r"//.*", "", proto.read_text())
        package = service = rpc = ""
        for found in VERBS.finditer(text):
            package, service, rpc = found["package"] or package, found["service"] or service, found["rpc"] or rpc
            if found["path"]:
                routes[f"{found['method'].upper()} {found['path']}"] = f"{package}.{service}/{rpc}"
    return routes


def kind(step) -> str:
    if step.status < 300:
        return "success"
    if step.status == 401:
        return "refusal of nobody"
    if step.refusal or step.status == 403 or step.status == 404 and step.who == "john":
        return "refusal of a stranger"
    # With a body something in it must be wrong; without one a request can only name what is not there.
    bodies = {"body", "upload"} & step.words.keys()
    return "bad input" if step.status == 400 or not bodies and step.status < 500 else ""


def route_of(step, routes) -> str:
    """The route that a step's path takes: of all that fit, the one with the most letters of its own."""
    path = re.sub(r"\$\{\w+\}", "x", step.path.split("?")[0])
    fitting = [route for route in routes if pattern(route).fullmatch(f"{step.method} {path}")]
    return max(fitting, key=lambda route: len(re.sub(r"\{[^}]*\}", "", route)), default="")


def pattern(route: str):
    parts = re.split(r"(\{[^}]*\})", route)
    return re.compile("".join("[^/:]+" if part.startswith("{") else re.escape(part) for part in parts))


def missing(protos: Path, steps: list) -> list:
    """A line for each route and kind that no step is about, and for each exception that has no reason to be."""
    table = yaml.safe_load((FOLDER / "routes.yaml").read_text())
    routes = declared(protos) | {route: "" for route in table["beyond_the_protos"]}
    met = {(route, kind(step)) for step in steps if (route := route_of(step, routes))}
    excused = {(route, lack) for entry in table["exceptions"] for route in entry["routes"] for lack in entry["lack"]}
    lines = [f"{route} ({rpc}) has no {lack}" for route, rpc in routes.items() for lack in KINDS
             if (route, lack) not in met | excused]
    lines += [f"{route} is excused from having a {lack}, and " + ("has one" if route in routes else "is no route")
              for route, lack in excused if (route, lack) in met or route not in routes]
    return sorted(lines)
