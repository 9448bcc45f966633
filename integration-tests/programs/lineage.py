"""The lineage of a run that is executed, walked over REST from its last task back to its first.

It proves: a pipeline whose tasks pass artifacts on, in a loop as well, is found again by the RPCs alone: its tasks and
those inside of them, what went into each and came out, and what has made it; pages give each row once; a result that was
taken from an earlier run is linked to the artifact of that run, so that the walk leads there; another tenant, with a
pipeline of the same name, finds nothing of it by any list, filter or id, and hears for each id what an id that nothing has
is answered; two tenants' ids in one request are refused, and so are more than can be looked for; nothing is recorded of a run
that is executed here; and with the last run that has something its lineage is gone.
"""
import os
import uuid

import rest

V2 = "/apis/v2beta1"
namespace, other_namespace = os.environ["KFP_NAMESPACE"], os.environ["OTHER_NAMESPACE"]
tag = uuid.uuid4().hex[:8]
jane, john = rest.jane(), rest.john()


def component(name, script, inputs=(), outputs=(), parameters=()):
    """The component and its executor; in the script `$1` and so on are the paths of artifacts, and then parameters."""
    kind = {"artifactType": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"}}
    made = {"executorLabel": f"exec-{name}"}
    definitions = {"artifacts": {each: kind for each in inputs}} if inputs else {}
    if parameters:
        definitions["parameters"] = {each: {"parameterType": "STRING"} for each in parameters}
    if definitions:
        made["inputDefinitions"] = definitions
    if outputs:
        made["outputDefinitions"] = {"artifacts": {each: kind for each in outputs}}
    arguments = [f"{{{{$.inputs.artifacts['{each}'].path}}}}" for each in inputs]
    arguments += [f"{{{{$.outputs.artifacts['{each}'].path}}}}" for each in outputs]
    arguments += [f"{{{{$.inputs.parameters['{each}']}}}}" for each in parameters]
    return made, {"container": {"image": "alpine", "command": ["sh", "-ec", script, "sh"], "args": arguments}}


def pipeline(word):
    """Loads words, counts them in a loop, and reports on them."""
    parts = {
        "load": component("load", f'mkdir -p "$(dirname "$1")"; echo {word} > "$1"', outputs=["words"]),
        "count": component("count", 'mkdir -p "$(dirname "$2")"; wc -c < "$1" > "$2"; echo "$3" >> "$2"',
                           inputs=["words"], outputs=["counted"], parameters=["item"]),
        "report": component("report", 'mkdir -p "$(dirname "$2")"; cat "$1" > "$2"', inputs=["words"], outputs=["report"]),
    }
    words = {"artifactType": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"}}
    of_load = {"taskOutputArtifact": {"producerTask": "load", "outputArtifactKey": "words"}}

    def task(name, dependent=(), **inputs):
        made = {"componentRef": {"name": f"comp-{name}"}, "taskInfo": {"name": name}, "cachingOptions": {"enableCache": True}}
        return made | ({"inputs": inputs} if inputs else {}) | ({"dependentTasks": list(dependent)} if dependent else {})

    loop = {
        "inputDefinitions": {"artifacts": {"words": words}, "parameters": {"item": {"parameterType": "STRING"}}},
        "dag": {"tasks": {"count": task(
            "count", artifacts={"words": {"componentInputArtifact": "words"}},
            parameters={"item": {"componentInputParameter": "item"}})}},
    }
    each = task("each", ["load"], artifacts={"words": of_load}) | {
        "parameterIterator": {"itemInput": "item", "items": {"raw": '["a", "b", "c"]'}}}
    return {
        "pipelineInfo": {"name": "lineage"}, "schemaVersion": "2.1.0", "sdkVersion": "kfp-2.17.0",
        "deploymentSpec": {"executors": {f"exec-{name}": executor for name, (_, executor) in parts.items()}},
        "components": {f"comp-{name}": made for name, (made, _) in parts.items()} | {"comp-each": loop},
        "root": {"dag": {"tasks": {
            "load": task("load"), "each": each, "report": task("report", ["load"], artifacts={"words": of_load})}}},
    }


def run(who, where, word):
    experiment = who.experiment(f"{tag}-{uuid.uuid4().hex[:6]}", where)
    body = {"display_name": tag, "experiment_id": experiment, "pipeline_spec": pipeline(word)}
    made = who.ok("POST", f"{V2}/runs", body)["run_id"]
    ended = who.ended(made)
    assert ended["state"] == "SUCCEEDED", ended
    return made


def pages(who, path, key, size, **query):
    """All rows of a list, and that each page says how many they are."""
    found, token = [], ""
    while True:
        page = who.ok("GET", f"{V2}/{path}", query=query | {"page_size": size, "page_token": token})
        found += page.get(key, [])
        total = page.get("total_size", 0)
        token = page.get("next_page_token", "")
        if not token:
            assert total == len(found), (path, query, total, len(found))
            return found


def links(who, size=50, **query):
    return pages(who, "artifact_tasks", "artifact_tasks", size, **query)


# Down from the run.
first = run(jane, namespace, f"words-{tag}")
tasks = pages(jane, "tasks", "tasks", 3, run_id=first)
by_name = {}
for task in tasks:
    by_name.setdefault((task["type"], task["name"].split("[")[0]), []).append(task)
assert {key: len(found) for key, found in by_name.items()} == {
    ("RUNTIME", "load"): 1, ("RUNTIME", "report"): 1, ("LOOP", "each"): 1, ("LOOP_ITERATION", "each"): 3,
    ("RUNTIME", "count"): 3}, by_name.keys()
assert len({task["task_id"] for task in tasks}) == 9
loop, = by_name["LOOP", "each"]
iterations = pages(jane, "tasks", "tasks", 2, parent_id=loop["task_id"])
assert sorted(int(each.get("type_attributes", {}).get("iteration_index", 0)) for each in iterations) == [0, 1, 2], iterations
inside = jane.ok("GET", f"{V2}/tasks/{loop['task_id']}")["child_tasks"]
assert {each["task_id"] for each in inside} == {each["task_id"] for each in iterations}
for iteration in iterations:
    count, = pages(jane, "tasks", "tasks", 2, parent_id=iteration["task_id"])
    assert count["name"] == "count" and count["parent_task_id"] == iteration["task_id"]

# Up from what was reported: what made it, what went in there, what made that, until nothing went in.
report, = [each for each in links(jane, run_ids=first, type="OUTPUT") if each["artifact_key"] == "report"]
trail, at = [], report
while True:
    task = jane.ok("GET", f"{V2}/tasks/{at['task_id']}")
    trail.append(task["name"])
    into = [each for each in links(jane, task_ids=task["task_id"]) if each.get("type", "INPUT") == "INPUT"]
    if not into:
        break
    assert (into[0]["producer_task_name"], into[0]["producer_key"]) == ("load", "words"), into
    at, = [each for each in links(jane, artifact_ids=into[0]["artifact_id"], type="OUTPUT") if each["run_id"] == first]
assert trail == ["report", "load"], trail
words = at["artifact_id"]
uses = links(jane, size=1, artifact_ids=words)
assert len({each["id"] for each in uses}) == len(uses) > 4, uses
artifact = jane.ok("GET", f"{V2}/artifacts/{words}")
assert (artifact["type"], artifact["namespace"]) == ("Dataset", namespace), artifact
made = [{"operation": "EQUALS", "key": "run_id", "string_value": first}]
listed = pages(jane, "artifacts", "artifacts", 2, namespace=namespace, filter=rest.json.dumps({"predicates": made}))
made_by_components = [each for each in listed if each["name"] != "executor-logs"]
assert len(made_by_components) == 5 and words in {each["artifact_id"] for each in made_by_components}, listed

# A second run takes the results of the first, and its lineage leads there.
second = run(jane, namespace, f"words-{tag}")
load, = [each for each in pages(jane, "tasks", "tasks", 50, run_id=second) if each["name"] == "load"]
assert load["status_metadata"]["cached_task_id"] == by_name["RUNTIME", "load"][0]["task_id"], load
taken, = [each for each in links(jane, task_ids=load["task_id"]) if each["artifact_key"] != "executor-logs"]
assert taken["artifact_id"] == words and taken["producer_task_name"] == "load", taken
assert {each["run_id"] for each in links(jane, artifact_ids=words)} == {first, second}

# Somebody else, who runs the same.
johns = run(john, other_namespace, f"words-{tag}")
theirs = links(john, run_ids=johns)
assert theirs and not {each["artifact_id"] for each in theirs} & {each["artifact_id"] for each in listed}
assert all(each["namespace"] == other_namespace
           for each in pages(john, "artifacts", "artifacts", 3, namespace=other_namespace))
assert john.ok("GET", f"{V2}/artifacts", query={
    "namespace": other_namespace, "filter": rest.json.dumps({"predicates": made})}) == {}
uri = [{"operation": "EQUALS", "key": "uri", "string_value": artifact["uri"]}]
assert john.ok("GET", f"{V2}/artifacts", query={
    "namespace": other_namespace, "filter": rest.json.dumps({"predicates": uri})}) == {}
assert john.call("GET", f"{V2}/artifacts", query={"namespace": namespace}).status == 403
task_id = by_name["RUNTIME", "load"][0]["task_id"]
for path, query, id_ in [
        (f"{V2}/artifacts/ID", {}, words), (f"{V2}/tasks/ID", {}, task_id), (f"{V2}/tasks", {"run_id": "ID"}, first),
        (f"{V2}/tasks", {"parent_id": "ID"}, loop["task_id"]), (f"{V2}/artifact_tasks", {"artifact_ids": "ID"}, words),
        (f"{V2}/artifact_tasks", {"run_ids": "ID"}, first), (f"{V2}/artifact_tasks", {"task_ids": "ID"}, task_id)]:
    heard = []
    for id_or_absent in (id_, str(uuid.uuid4())):
        asked = {key: value.replace("ID", id_or_absent) for key, value in query.items()}
        answer = john.call("GET", path.replace("ID", id_or_absent), query=asked)
        heard.append((answer.status, answer.text().replace(id_or_absent, "ID")))
    assert heard[0] == heard[1] and heard[0][0] == 404, (path, query, heard)
mixed = john.call("GET", f"{V2}/artifact_tasks?run_ids={johns}&run_ids={first}")
assert mixed.status == 404 and first in mixed.text(), mixed
many = john.call("GET", f"{V2}/artifact_tasks?" + "&".join(f"run_ids={johns}" for _ in range(101)))
assert many.status == 400 and "more than 100 ids" in many.text(), many
for method, path, body in [
        ("POST", f"{V2}/tasks", {"run_id": first, "name": "x", "type": "RUNTIME"}),
        ("PATCH", f"{V2}/tasks/{task_id}", {"status": "FAILED"}),
        ("POST", f"{V2}/artifacts", {"run_id": first, "task_id": task_id, "artifact": {
            "name": "x", "type": "Model", "uri": "s3://x/y"}}),
        ("POST", f"{V2}/artifact_tasks", {"artifact_task": {
            "run_id": first, "task_id": task_id, "artifact_id": words, "artifact_key": "x"}})]:
    assert john.call(method, path, body).status == 404, (method, path)
    refused = jane.call(method, path, body)
    assert refused.status == 400 and "executed by this server" in refused.text(), refused

# What was made goes with its run; what another run has taken of it stays on record there.
jane.ok("DELETE", f"{V2}/runs/{first}")
for path in (f"artifacts/{report['artifact_id']}", f"tasks/{task_id}"):
    found = jane.call("GET", f"{V2}/{path}")
    # The second run has taken the report, too.
    assert found.status == (200 if path.startswith("artifacts") else 404), (path, found)
jane.ok("DELETE", f"{V2}/runs/{second}")
for id_ in (words, report["artifact_id"]):
    assert jane.call("GET", f"{V2}/artifacts/{id_}").status == 404
assert links(john, run_ids=johns) == theirs
print(f"{len(tasks)} tasks, {len(listed)} artifacts, {len(uses)} links of one of them, two tenants")
