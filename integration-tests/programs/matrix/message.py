"""The request of a case: the row's fields, and in those that the rule is about what the case names there."""
import uuid

from google.protobuf import json_format

from matrix import table
from matrix.cases import EMPTY, NAMESPACES, Case, Slot
from matrix.pointed import BY_ID, REFERENCES, walk
from matrix.rules import Rpc
from matrix.world import PLACES, World


def request(rpc: Rpc, row: table.Row, case: Case, world: World, words: dict, pool, fresh: bool):
    """The message, with fresh objects if they are to be used up; None if the fields cannot all be set."""
    fields = table.merged(row.fields, row.variants[case.variant].get("fields", {})) if case.variant else row.fields
    message = json_format.ParseDict(table.filled(fields, words), rpc.request(), descriptor_pool=pool)
    values = []
    for slot, which in case.chosen:
        fresh_one = fresh and slot.kind == row.fresh
        values.append((slot, which, value(slot, which, world, fresh_one, row.failed)))
    for slot, which, text in values:
        put(message, slot, which, text)
    for path, text in case.set:
        holder, field = walk(message, path)
        enum = holder.DESCRIPTOR.fields_by_name[field].enum_type
        setattr(holder, field, enum.values_by_name[text].number if enum else text)
    # Two members of a oneof cannot both be there.
    said = all(text == "" or holds(message, slot, text) for slot, _, text in values)
    return message if said else None


def value(slot: Slot, which: str, world: World, fresh: bool, failed: bool) -> str:
    """The text that says so: an id or a namespace."""
    by_id = slot.where in BY_ID or slot.where in REFERENCES
    if which == "unsaid" or not by_id and which in EMPTY:
        return EMPTY[which]
    # Of references, `experiment own` and `namespace own`.
    kind, _, where = (slot.kind, "", which) if by_id or slot.where == "namespace_field" else which.partition(" ")
    if kind == "namespace":
        return NAMESPACES[where]
    if where == "absent" or which == "job":
        return str(uuid.uuid4())
    place, flavour = (where, "") if where in PLACES else ("own", where)
    if not fresh:
        return world.thing(kind, place, flavour).id
    made = world.make(kind, place, flavour)
    if failed:
        world.end(made)
    return made.id


def put(message, slot: Slot, which: str, text: str) -> None:
    if which == "unsaid" or text == "" and "reference" in slot.where:
        return
    holder, field = walk(message, slot.path)
    if slot.where in REFERENCES:
        add(getattr(holder, field), REFERENCES[slot.where][0], text)
    elif slot.where == "references_field":
        add(getattr(holder, field), which.split(" ")[0].upper() if text != "-" else "NAMESPACE", text)
    elif slot.where == "reference_key_field":
        key = getattr(holder, field)
        type_ = "NAMESPACE" if text == "-" else which.split(" ")[0].upper()
        key.type, key.id = key.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_name[type_].number, text
    elif holder.DESCRIPTOR.fields_by_name[field].is_repeated:
        getattr(holder, field).append(text)
    else:
        setattr(holder, field, text)


def add(references, type_: str, id_: str) -> None:
    reference = references.add()
    kinds = reference.key.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_name
    reference.key.type, reference.key.id = kinds[type_].number, id_
    reference.relationship = 1


def holds(message, slot: Slot, text: str) -> bool:
    holder, field = walk(message, slot.path)
    found = getattr(holder, field)
    if slot.where in REFERENCES or slot.where == "references_field":
        return any(reference.key.id == text for reference in found)
    if holder.DESCRIPTOR.fields_by_name[field].is_repeated:
        return text in found
    return (found.id if slot.where == "reference_key_field" else found) == text


def replaced(message, old: str, new: str):
    """A copy with another id in the place of one."""
    copy = type(message)()
    copy.CopyFrom(message)

    def visit(at):
        for field, content in at.ListFields():
            if field.message_type is not None:
                for each in content if field.is_repeated else [content]:
                    # A map's entries are its values here, which name no object.
                    if hasattr(each, "ListFields"):
                        visit(each)
            elif field.is_repeated:
                content[:] = [new if each == old else each for each in content]
            elif content == old:
                setattr(at, field.name, new)

    visit(copy)
    return copy
