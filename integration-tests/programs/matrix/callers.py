"""Who asks: how they prove who they are, and what the oracle has to know of them."""
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from harness.server import Broken

USER_HEADER, GROUPS_HEADER = "kubeflow-userid", "kubeflow-groups"
# A proxy on loopback can be trusted only while no task has a network.
CONFIG = {
    "auth": {"trusted_proxies": ["127.0.0.1/32"], "user_header": USER_HEADER, "groups_header": GROUPS_HEADER},
    "executor": {"network": False},
}


@dataclass(frozen=True)
class Caller:
    name: str
    # What is sent along, in gRPC's metadata and in HTTP's headers.
    headers: dict = field(hash=False)
    # Empty for whoever is not known.
    user: str = ""
    groups: tuple = ()
    # What their token is good for; empty for all.
    verbs: tuple = ()
    namespaces: tuple = ()

    @property
    def known(self) -> bool:
        return bool(self.user)


def read(file: Path, server) -> list:
    """The callers of the table, with tokens of this server."""
    return [caller(name, entry, server) for name, entry in yaml.safe_load(file.read_text()).items()]


def caller(name: str, entry: dict, server) -> Caller:
    user = entry.get("user", "")
    groups, verbs, namespaces = (tuple(entry.get(key, ())) for key in ("groups", "verbs", "namespaces"))
    match entry["by"]:
        case "nothing":
            headers = {}
        case "bearer":
            headers = {"authorization": f"Bearer {entry['text']}"}
        case "header":
            headers = {USER_HEADER: user} | ({GROUPS_HEADER: ",".join(groups)} if groups else {})
        case "token":
            file = server.token(user, groups, verbs, namespaces, name=name)
            headers = {"authorization": f"Bearer {file.read_text().strip()}"}
    known = not entry.get("refused") and entry["by"] in ("header", "token")
    return Caller(name, headers, user if known else "", groups, verbs, namespaces)


def refuses_tokens_for(server, user: str) -> bool:
    """Whether no token can be made in that name."""
    try:
        server.token(user, name="refused")
    except Broken as refusal:
        return "system:" in str(refusal)
    return False
