"""What fields of a request say: those that an access rule names by their paths, and version 1's references."""
from matrix.rules import Check

# What finds an object by its id, and the resource that such an object is.
BY_ID = {
    "experiment_field": "experiments", "run_field": "runs", "recurring_run_field": "jobs",
    "pipeline_field": "pipelines", "pipeline_version_field": "pipelines", "task_field": "runs", "artifact_field": "runs",
}
# The kinds of version 1's references, and what each finds.
REFERENCES = {
    "pipeline_references_field": ("PIPELINE", "pipeline_field"),
    "version_references_field": ("PIPELINE_VERSION", "pipeline_version_field"),
    "recurring_run_references_field": ("JOB", "recurring_run_field"),
}


def walk(message, path: str):
    """The message that holds the last field of a path, and that field's name."""
    *holders, field = path.split(".")
    for name in holders:
        message = getattr(message, name)
    return message, field


def read(message, path: str):
    return getattr(*walk(message, path))


def pointed(check: Check, request) -> list:
    """What the check's field names: how each is to be understood, and its text."""
    if check.where in BY_ID or check.where == "namespace_field":
        said = read(request, check.path)
        return [(check.where, each) for each in ([said] if isinstance(said, str) else list(said) or [""])]
    return [reference(check, request)]


def reference(check: Check, request) -> tuple:
    """The same of version 1's references."""
    holder, field = walk(request, check.path)
    if check.where == "reference_key_field":
        key = getattr(holder, field)
        type_ = key.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[key.type].name
        known = {"NAMESPACE": "namespace_field", "EXPERIMENT": "experiment_field"}
        if type_ == "UNKNOWN_RESOURCE_TYPE" and not key.id:
            return "namespace_field", ""
        return (known[type_], key.id) if type_ in known else ("unsupported", type_)
    ids = {}
    for reference in getattr(holder, field):
        type_ = reference.key.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[reference.key.type].name
        ids.setdefault(type_, reference.key.id)
    if check.where == "references_field" and "EXPERIMENT" in ids:
        return "experiment_field", ids["EXPERIMENT"]
    if check.where == "references_field":
        return "namespace_field", ids.get("NAMESPACE", "")
    type_, how = REFERENCES[check.where]
    return how, ids.get(type_, "")
