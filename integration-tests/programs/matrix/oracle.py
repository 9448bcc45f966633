"""What the answer must be: a rule's checks one after another, as docs/ACCESS.md tells it, and nothing of the server.

A verdict is about access alone. What an admitted call is answered with, the rows say.
"""
from dataclasses import dataclass

from matrix.pointed import BY_ID, pointed, read, walk
from matrix.rbac import CLUSTER, DEFAULT_SERVICE_ACCOUNT, SHARED, Rbac
from matrix.rules import Check, Rpc

ADMITTED = "ADMITTED"


@dataclass(frozen=True)
class Thing:
    """An object that can be named by an id."""
    id: str
    kind: str
    place: str
    # As `resourceNames` mean it.
    name: str
    service_account: str = DEFAULT_SERVICE_ACCOUNT
    # The id of the pipeline that a run or a recurring run was made of.
    pipeline: str = ""


@dataclass(frozen=True)
class Verdict:
    code: str
    why: str = ""
    # The id that is not found, which must look like any other that is not there.
    absent: str = ""


class Refused(Exception):
    def __init__(self, code, why, absent=""):
        super().__init__(why)
        self.verdict = Verdict(code, why, absent)


@dataclass(frozen=True)
class Oracle:
    rbac: Rbac
    # Every object by its id.
    things: dict

    def judge(self, rpc: Rpc, request, caller) -> Verdict:
        if any(check.where == "public" for check in rpc.checks):
            return Verdict(ADMITTED, "everybody may")
        if not caller.known:
            return Verdict("UNAUTHENTICATED", "the caller is not known")
        try:
            return self.admit(rpc, request, caller)
        except Refused as refused:
            return refused.verdict

    def admit(self, rpc: Rpc, request, caller) -> Verdict:
        # Where each pair of verb and resource is held, and what has to be and is not.
        places, unsaid = {}, {}
        for check in rpc.checks:
            if check.where == "authenticated" or check.if_held:
                continue
            verb = self.verb(check, request)
            grant = verb, check.resource
            for place in self.places(check, verb, request, caller):
                if place is None:
                    if check.required:
                        unsaid[grant] = f"{check} finds its field empty"
                elif places.setdefault(grant, place) != place:
                    raise Refused("INVALID_ARGUMENT", f"{check}: in {place}, and another object in {places[grant]}")
        for grant, why in unsaid.items():
            if grant not in places:
                raise Refused("INVALID_ARGUMENT", why)
        return Verdict(ADMITTED, "all checks pass")

    def verb(self, check: Check, request) -> str:
        if not check.verb_field:
            return check.verb
        holder, field = walk(request, check.verb_field)
        verb = holder.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(holder, field)].name
        if verb.startswith("UNASSIGNED"):
            raise Refused("INVALID_ARGUMENT", "the request names no verb")
        return verb.lower()

    def places(self, check: Check, verb: str, request, caller):
        """Where the check holds, one after another; None where it is left out, or its field is empty."""
        name = read(request, check.name_field) if check.name_field else ""
        if check.resource == "serviceaccounts" and check.refers == "ITSELF" and name in ("", DEFAULT_SERVICE_ACCOUNT):
            yield None
        elif check.where == "wherever":
            yield self.wherever(check, caller)
        elif check.where == "cluster":
            yield self.open(verb, check.resource, CLUSTER, name, caller)
        else:
            for how, value in pointed(check, request):
                yield self.place(check, how, value, verb, name, caller)

    def place(self, check: Check, how: str, value: str, verb: str, name: str, caller) -> str | None:
        if how == "unsupported":
            raise Refused("INVALID_ARGUMENT", f"a key of type {value} is of no place")
        if value in ("", "-") and how == "namespace_field" or value == "":
            return self.empty(check, verb, name, caller)
        if how == "namespace_field":
            return self.open(verb, check.resource, value, name, caller)
        return self.by_id(check, how, value, verb, name, caller)

    def wherever(self, check: Check, caller) -> None:
        """Every namespace where it is held: what is done there is seen by what is answered."""
        held = any(self.rbac.allows(caller, check.verb, check.resource, place, "") for place in self.rbac.tenants)
        if not held and check.when_empty != "SKIP":
            raise Refused("PERMISSION_DENIED", f"may not {check.verb} {check.resource} anywhere")

    def empty(self, check: Check, verb: str, name: str, caller) -> str | None:
        match check.when_empty:
            case "SHARED":
                return self.open(verb, check.resource, SHARED, name, caller)
            case "PLACED":
                return self.placed(verb, check.resource, name, caller)
        return None

    def open(self, verb: str, resource: str, place: str, name: str, caller) -> str:
        """A place that the request itself names."""
        if not self.rbac.allows(caller, verb, resource, place, name):
            raise Refused("PERMISSION_DENIED", f"may not {verb} {resource} {name} in {place}")
        return place

    def by_id(self, check: Check, how: str, id_: str, verb: str, name: str, caller) -> str | None:
        resource = BY_ID[how]
        thing = self.things.get(id_)
        if thing is None or thing.kind != how.removesuffix("_field"):
            raise Refused("NOT_FOUND", f"there is no {id_}", absent=id_)
        if check.refers == "SERVICE_ACCOUNT":
            default = thing.service_account == DEFAULT_SERVICE_ACCOUNT
            return None if default else self.open(verb, check.resource, thing.place, thing.service_account, caller)
        if check.refers == "PIPELINE":
            pipeline = self.things.get(thing.pipeline)
            # What the request names is the run, so the refusal is open.
            return pipeline and self.open(verb, check.resource, pipeline.place, pipeline.name, caller)
        if resource == check.resource and not check.name_field:
            name = thing.name
        if not self.rbac.allows(caller, verb, check.resource, thing.place, name):
            if self.rbac.allows(caller, "get", resource, thing.place, thing.name):
                raise Refused("PERMISSION_DENIED", f"may get {id_}, and may not {verb} {check.resource} there")
            raise Refused("NOT_FOUND", f"may not know of {id_} in {thing.place}", absent=id_)
        return thing.place

    def placed(self, verb: str, resource: str, name: str, caller) -> str:
        """"Uploads without a namespace": shared, else the caller's own, else the only one."""
        def fitting(places):
            return [place for place in places if self.rbac.allows(caller, verb, resource, place, name)]

        for places in ([SHARED], self.rbac.owned_by(caller), self.rbac.tenants):
            if len(found := fitting(places)) == 1:
                return found[0]
            if found:
                raise Refused("INVALID_ARGUMENT", f"fits in several: {', '.join(found)}")
        raise Refused("PERMISSION_DENIED", f"may not {verb} {resource} anywhere")
