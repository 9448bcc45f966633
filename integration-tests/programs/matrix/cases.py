"""The cases of an RPC: which objects a request names in the fields that its rule is about."""
import itertools
from dataclasses import dataclass

from matrix import table
from matrix.pointed import BY_ID, REFERENCES, walk
from matrix.rbac import DEFAULT_SERVICE_ACCOUNT
from matrix.rules import PLACELESS, Rpc
from matrix.world import ACCOUNT, FLAVOURS

# Namespaces besides those of objects, as requests name them.
NAMESPACES = {"own": "own", "foreign": "foreign", "nobody's": "nobodys", "closed": "closed"}
# Where nothing is named.
EMPTY = {"unsaid": "", "unsaid, by a dash": "-", "shared": "", "shared, by a dash": "-"}


@dataclass(frozen=True)
class Slot:
    """A field that says where, or an entry of a version 1 list."""
    where: str
    path: str
    required: bool
    when_empty: str

    @property
    def label(self) -> str:
        if "reference" in self.where:
            return self.where.removesuffix("_field")
        return self.path.partition(".")[2] or self.path

    @property
    def kind(self) -> str:
        """Of the object that it names."""
        return REFERENCES.get(self.where, ("", self.where))[1].removesuffix("_field")

    def choices(self) -> list:
        """What it may name; the first one is the most ordinary."""
        if self.where in BY_ID or self.where in REFERENCES:
            shared = ["shared"] if self.kind in ("pipeline", "pipeline_version") else []
            return ["own", "foreign", *shared, "absent"] + (["unsaid"] if self.required else [])
        empty = ["shared", "shared, by a dash"] if self.when_empty == "SHARED" else ["unsaid", "unsaid, by a dash"]
        if self.where == "namespace_field":
            return [*NAMESPACES, *empty]
        found = [f"experiment {which}" for which in ("own", "foreign", "absent")]
        found += [f"namespace {which}" for which in NAMESPACES] + empty
        return found + (["job"] if self.where == "reference_key_field" else [])


@dataclass(frozen=True)
class Case:
    name: str
    # What each slot names.
    chosen: tuple = ()
    # Fields besides, by their paths, and the variant of the row.
    set: tuple = ()
    variant: str = ""


def slots(rpc: Rpc) -> list:
    """In the order of the checks, each once."""
    found = {}
    for check in rpc.checks:
        key = check.where, check.path
        if check.where not in PLACELESS and (key not in found or check.required):
            found[key] = Slot(*key, check.required, check.when_empty)
    return list(found.values())


def cases(rpc: Rpc, row: table.Row) -> list:
    """All that required fields can name, together; what else there is, beside ordinary ones."""
    required = [slot for slot in slots(rpc) if slot.required]
    products = [tuple(zip(required, chosen)) for chosen in itertools.product(*(slot.choices() for slot in required))]
    plain = [Case(named(chosen), chosen) for chosen in products]
    ordinary = products[0]
    found = [Case(and_(case.name, f"{field}={value}"), case.chosen, ((field, value),))
             for case in plain for field, value in verbs(rpc)] or plain
    found += [Case(and_(named(ordinary), named(more, always=True)), ordinary + more) for more in optional(rpc)]
    found += [Case(and_(named(ordinary), f"{field}={value}"), ordinary, ((field, value),)) for field, value in accounts(rpc)]
    found += [Case(flavour, tuple((slot, flavour) for slot, _ in ordinary)) for flavour in flavours(rpc)]
    found += [Case(and_(case.name, variant), case.chosen, case.set, variant) for case in plain for variant in row.variants]
    return found


def named(chosen: tuple, always: bool = False) -> str:
    if len(chosen) == 1 and not always:
        return chosen[0][1]
    return ", ".join(f"{slot.label}={which}" for slot, which in chosen)


def and_(*names: str) -> str:
    return "; ".join(name for name in names if name)


def verbs(rpc: Rpc) -> list:
    """All values of an enum that names the verb."""
    found = []
    for check in rpc.checks:
        if check.verb_field:
            holder, field = walk(rpc.request(), check.verb_field)
            values = holder.DESCRIPTOR.fields_by_name[field].enum_type.values
            found += [(check.verb_field, value.name) for value in values]
    return found


def optional(rpc: Rpc) -> list:
    """What fields can name that may be left out: one of them, or two that are about the same right."""
    free = [slot for slot in slots(rpc) if not slot.required]
    rights = {(check.where, check.path): (check.verb, check.resource) for check in rpc.checks}
    singles = [((slot, which),) for slot in free for which in slot.choices()]
    pairs = [((one, which), (other, what)) for one, other in itertools.combinations(free, 2)
             if rights[one.where, one.path] == rights[other.where, other.path]
             for which in one.choices() for what in other.choices()]
    return singles + pairs


def accounts(rpc: Rpc) -> list:
    return [(check.name_field, value) for check in rpc.checks if check.resource == "serviceaccounts" and check.name_field
            for value in (DEFAULT_SERVICE_ACCOUNT, ACCOUNT, "another")]


def flavours(rpc: Rpc) -> tuple:
    return FLAVOURS if any(check.refers != "ITSELF" for check in rpc.checks) else ()
