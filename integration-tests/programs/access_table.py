"""The table of every RPC in docs/ACCESS.md, which is generated from the access rules of the protos.

It proves that the committed table says what the rules say.

    programs/access_table.py --write   writes the table anew
"""
import difflib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.server import ROOT  # noqa: E402
from matrix import rules, table  # noqa: E402

PAGE = ROOT / "docs" / "ACCESS.md"
BEGIN, END = "<!-- rules -->", "<!-- /rules -->"
# The packages in the order of the page, and what it calls them.
PACKAGES = {"kubeflow.pipelines.backend.api.v2beta1": "v2beta1", "api": "v1beta1", "bulkhead.v1": "bulkhead.v1",
            "ml_metadata": "ml_metadata"}
HEAD = ("RPC and route", "needs", "where", "name", "when empty", "besides")
# What a field is that says where.
WHERE = {
    "namespace_field": "namespace {}", "experiment_field": "experiment {}", "run_field": "run {}",
    "recurring_run_field": "recurring run {}", "task_field": "task {}", "artifact_field": "artifact {}", "pipeline_field": "pipeline {}", "pipeline_version_field": "version {}",
    "references_field": "experiment or namespace in {}", "pipeline_references_field": "pipeline in {}",
    "version_references_field": "version in {}", "recurring_run_references_field": "job in {}",
    "reference_key_field": "experiment or namespace {}", "cluster": "the whole cluster",
    "wherever": "[wherever it is held](#metadata)",
}
WHEN_EMPTY = {
    "REFUSE": "refused", "SKIP": "left out", "SHARED": "[shared](#shared-pipelines)",
    "PLACED": "[placed](#uploads-without-a-namespace)",
}
# Objects that are found by id have names of their own; these are what the names are of.
NAMED = {
    "experiment_field": "experiments", "run_field": "runs", "recurring_run_field": "jobs", "pipeline_field": "pipelines",
    "task_field": "runs", "artifact_field": "runs",
    "pipeline_version_field": "pipelines", "pipeline_references_field": "pipelines", "version_references_field": "pipelines",
}
REFERS = {"SERVICE_ACCOUNT": "the one that it runs as, unless it is the default one", "PIPELINE": "what it was made of"}


def main(arguments: list) -> int:
    text = PAGE.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, f"{PAGE} lacks {BEGIN} or {END}"
    protos = rules.Protos(ROOT / "proto")
    wanted = f"{before}{BEGIN}\n\n{tables(protos.rpcs)}\n\n{END}{after}"
    if arguments == ["--write"]:
        PAGE.write_text(wanted)
    elif text != wanted:
        sys.stdout.writelines(difflib.unified_diff(
            text.splitlines(keepends=True), wanted.splitlines(keepends=True), "committed", "generated"))
        print("docs/ACCESS.md does not say what the protos say: programs/access_table.py --write")
        return 1
    print(f"{len(protos.rpcs)} RPCs of {len(protos.services)} services")
    return 0


def tables(rpcs: list) -> str:
    """A table for each service, in the order of the packages, and in them by name."""
    extra = table.read(ROOT / "integration-tests" / "matrix")
    services = {}
    for rpc in rpcs:
        package, _, service = rpc.service.rpartition(".")
        services.setdefault((list(PACKAGES).index(package), service), []).append(rpc)
    parts = []
    for (package, service), members in sorted(services.items()):
        lines = [f"### {service}, {list(PACKAGES.values())[package]}", "", row(HEAD), "|---" * len(HEAD) + "|"]
        lines += [row(cells(rpc, table.routes(rpc, extra[rpc.full_name]))) for rpc in members]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def row(cells) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def cells(rpc: rules.Rpc, routes: tuple) -> list:
    name = "<br>".join([f"`{rpc.name}`", *(f"`{route.method} {route.path}`" for route in routes)])
    first = rpc.checks[0]
    if not first.resource:
        return [name, {"authenticated": "a login", "public": "nothing"}[first.where], "", "", "", ""]
    # The other fields that are about the same right.
    alike = [check for check in rpc.checks if right(check) == right(first)]
    needs = f"`{first.verb}` `{first.resource}`" if first.verb else f"what `{first.verb_field}` says, `{first.resource}`"
    others = {}
    for check in rpc.checks:
        if check not in alike:
            others.setdefault(right(check), []).append(check)
    names = dict.fromkeys(filter(None, map(named, alike)))
    when_empty = WHEN_EMPTY[first.when_empty] if first.path else ""
    if first.where == "wherever":
        when_empty = "nothing" if first.when_empty == "SKIP" else "refused"
    return [name, needs, ", ".join(map(where, alike)), ", ".join(names), when_empty, "; ".join(map(beside, others.values()))]


def right(check: rules.Check) -> tuple:
    return check.verb, check.verb_field, check.resource, check.if_held


def where(check: rules.Check) -> str:
    return WHERE[check.where].format(f"`{check.path}`")


def named(check: rules.Check) -> str:
    if check.name_field:
        return f"`{check.name_field}`"
    own = "its run's" if check.where in ("task_field", "artifact_field") else "its own"
    return own if NAMED.get(check.where) == check.resource else ""


def beside(checks: list) -> str:
    """A further right that the same call takes."""
    first = checks[0]
    needs = f"`{first.verb}` `{first.resource}`"
    if first.refers != "ITSELF":
        return f"{needs}: {REFERS[first.refers]}"
    if first.resource == "serviceaccounts":
        return f"{needs}: `{first.name_field}`, unless it is the default one"
    places = ", ".join(map(where, checks))
    return f"if held, {needs}: {places}" if first.if_held else f"{needs}: {places}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
