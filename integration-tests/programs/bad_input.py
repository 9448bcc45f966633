"""Everything that can be wrong with a request.

It proves that each gets a 4xx whose text names the place and gives away nothing of the server's inside, that nothing is
stored along the way, and that the server goes on.
"""
import json
import os
import time
import uuid

import rest

namespace, tag = os.environ["KFP_NAMESPACE"], f"bad-{time.time_ns():x}"
jane = rest.jane()
words = rest.compiled("words").decode()
experiment = jane.experiment(tag)
pipeline = jane.pipeline("demanding", tag)
V2 = "/apis/v2beta1"
LONG = "x" * 129
# What has no business in a text for a client.
INSIDES = ("panicked", ".rs:", "diesel", "sqlite", "SELECT ", "stack backtrace", os.environ["SERVER_DATA"])


def post(path, body, headers=None):
    return lambda: jane.call("POST", V2 + path, body, headers=headers)


def get(path, **query):
    return lambda: jane.call("GET", V2 + path, query={"namespace": namespace, **query})


def upload(content, filename="pipeline.yaml", field="uploadfile", path="/pipelines/upload", **query):
    query = {"name": f"never-{uuid.uuid4().hex}", "namespace": namespace, **query}
    content = content.encode() if isinstance(content, str) else content
    return lambda: jane.upload(V2 + path, content, filename, field, query)


def run(parameters=None, **fields):
    body = {"display_name": "never", "experiment_id": experiment,
            "pipeline_version_reference": {"pipeline_id": pipeline},
            "runtime_config": {"parameters": {"how_many": 3} if parameters is None else parameters}, **fields}
    return post("/runs", {key: value for key, value in body.items() if value is not None})


def filter_(*predicates):
    return get("/experiments", filter=json.dumps({"predicates": list(predicates)}))


def nested(depth):
    return '{"display_name": ' + "[" * depth + "]" * depth + "}"


def multipart(body, boundary="b"):
    return lambda: jane.call("POST", f"{V2}/pipelines/upload", body, {"name": "never", "namespace": namespace},
                             {"Content-Type": f"multipart/form-data; boundary={boundary}"})


JSON = {"Content-Type": "application/json"}
# (what is wrong, the request, the statuses that are right, words of which the text has at least one)
CASES = [
    # uploads
    ("malformed YAML", upload("pipelineInfo: [unclosed\n  - {"), {400}, ["line", "YAML"]),
    ("YAML that is no mapping", upload("- just\n- a list\n"), {400}, ["pipeline", "mapping", "map"]),
    ("an empty file", upload(""), {400}, ["empty", "pipeline"]),
    ("binary", upload(b"\xff\xfe\x00\x01" * 64), {400}, ["UTF-8", "utf-8", "YAML", "text"]),
    ("an unknown field", upload(words.replace("\nschemaVersion:", "\nskemaVersion: x\nschemaVersion:")), {400}, ["skemaVersion"]),
    ("an unknown field deep inside", upload(words.replace("executorLabel:", "executorLable: x\n    executorLabel:")), {400},
     ["executorLable"]),
    ("another schema version", upload(words.replace("schemaVersion: 2.1.0", "schemaVersion: 2.0.0")), {400}, ["schemaVersion", "2.0.0"]),
    ("no root", upload("pipelineInfo: {name: x}\nschemaVersion: 2.1.0\n"), {400}, ["root"]),
    ("a pipeline name that is none", upload(words.replace("  name: words", "  name: Not A Name")), {400}, ["Not A Name", "pipelineInfo"]),
    ("a component that is missing", upload(words.replace("name: comp-count-words", "name: comp-gone")), {400}, ["comp-gone"]),
    ("an executor that is missing", upload(words.replace("executorLabel: exec-count-words", "executorLabel: exec-gone")), {400},
     ["exec-gone"]),
    ("two pipelines in one file", upload(f"{words}\n---\n{words}"), {400}, ["one", "second", "two", "2"]),
    ("a bomb of references", upload("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi"))), {400}, [""]),
    ("deep YAML", upload("a: " + "[" * 20_000), {400}, [""]),
    ("a zip that is none", upload(b"PK\x03\x04" + b"\0" * 64, "pipeline.zip"), {400}, ["zip"]),
    ("a tar.gz that is none", upload(b"\x1f\x8b" + b"\0" * 64, "pipeline.tar.gz"), {400}, ["gz", "tar"]),
    ("an ending that is unknown", upload(b"MZ" + b"\0" * 64, "pipeline.exe"), {400}, [".yaml", "exe"]),
    ("a name that is too long", upload(words, name=LONG), {400}, ["128"]),
    ("33 MiB", upload(b"#" * (33 << 20)), {400, 413, 429}, ["32", "33554432"]),
    ("tags that are no object", upload(words, tags="[1]"), {400}, ["tags"]),
    ("a form without the file", upload(words, field="file"), {400}, ["uploadfile"]),
    ("no form at all", lambda: jane.call("POST", f"{V2}/pipelines/upload", words, {"name": "never", "namespace": namespace},
                                         {"Content-Type": "text/yaml"}), {400, 415}, ["multipart"]),
    ("no body at all", lambda: jane.call("POST", f"{V2}/pipelines/upload", None, {"name": "never", "namespace": namespace}),
     {400, 411, 415}, ["multipart"]),
    ("a form that ends in the middle", multipart(b'--b\r\nContent-Disposition: form-data; name="uploadfile"; filename="p.yaml"\r\n\r\nx'),
     {400}, ["multipart", "form", "uploadfile"]),
    ("a version without a pipeline", upload(words, path="/pipelines/upload_version"), {400}, ["pipelineid", "pipeline"]),
    ("a version of a pipeline that is not there", upload(words, path="/pipelines/upload_version", pipelineid="gone"), {404}, ["gone"]),
    # JSON
    ("no body", post("/experiments", b"", JSON), {400}, [""]),
    ("a body that is no JSON", post("/experiments", b"{display_name", JSON), {400}, ["line", "column", "JSON", "position"]),
    ("a body that is no object", post("/experiments", [1]), {400}, [""]),
    ("a body that is no UTF-8", post("/experiments", b'{"display_name": "\xff"}', JSON), {400}, [""]),
    ("an unknown JSON field", post("/experiments", {"display_nme": "x", "namespace": namespace}), {400}, ["display_nme"]),
    ("a number for a text", post("/experiments", {"display_name": 7, "namespace": namespace}), {400}, ["display_name"]),
    ("an object for a text", post("/experiments", {"display_name": {"a": 1}, "namespace": namespace}), {400}, ["display_name"]),
    ("an enum's value that is none", run(storage_state="SUNK"), {400}, ["SUNK", "storage_state"]),
    ("a time that is none", run(scheduled_at="teatime"), {400}, ["teatime", "scheduled_at"]),
    ("a field twice", post("/experiments", f'{{"display_name":"a","display_name":"b","namespace":"{namespace}"}}', JSON), {400},
     ["display_name"]),
    ("deep JSON", post("/experiments", nested(50_000), JSON), {400}, [""]),
    ("deep JSON in a parameter", post("/runs", '{"runtime_config":{"parameters":{"how_many":' + "[" * 5_000 + "]" * 5_000 + "}}}", JSON),
     {400}, [""]),
    ("a lone surrogate", post("/experiments", r'{"display_name":"\ud800","namespace":"' + namespace + '"}', JSON), {400}, [""]),
    # experiments
    ("an experiment without a name", post("/experiments", {"namespace": namespace}), {400}, ["display_name", "name"]),
    ("an experiment whose name is too long", post("/experiments", {"display_name": LONG, "namespace": namespace}), {400}, ["128"]),
    ("an experiment without a namespace", post("/experiments", {"display_name": "never"}), {400}, ["namespace"]),
    ("an experiment that is there already", post("/experiments", {"display_name": tag, "namespace": namespace}), {409}, [tag]),
    ("an experiment that is not there", lambda: jane.call("GET", f"{V2}/experiments/gone"), {404}, ["gone"]),
    ("an id that is a path", lambda: jane.call("GET", f"{V2}/experiments/..%2f..%2fetc%2fpasswd"), {400, 404}, [""]),
    ("an id with a zero byte", lambda: jane.call("GET", f"{V2}/experiments/a%00b"), {400, 404}, [""]),
    ("an id that is no UTF-8", lambda: jane.call("GET", f"{V2}/experiments/%ff"), {400, 404}, [""]),
    # runs
    ("a parameter that is missing", run({}), {400}, ["how_many"]),
    ("a parameter of the wrong type", run({"how_many": "three"}), {400}, ["how_many"]),
    ("a number for a text parameter", run({"how_many": 3, "title": 7}), {400}, ["title"]),
    ("a parameter that is unknown", run({"how_many": 3, "colour": "red"}), {400}, ["colour"]),
    ("a run without a name", run(display_name=""), {400}, ["display_name", "name"]),
    ("a run of nothing", run(pipeline_version_reference=None), {400}, ["pipeline"]),
    ("a run without an experiment", run(experiment_id=None), {400}, ["experiment"]),
    ("a run in an experiment that is not there", run(experiment_id="gone"), {404}, ["gone"]),
    ("a run of a pipeline that is not there", run(pipeline_version_reference={"pipeline_id": "gone"}), {404}, ["gone"]),
    ("a run of a version that is not there", run(
        pipeline_version_reference={"pipeline_id": pipeline, "pipeline_version_id": "gone"}), {404}, ["gone"]),
    ("a run of a spec that is none", run(pipeline_version_reference=None, pipeline_spec={"pipelineInfo": {"name": "x"}}), {400},
     ["root", "schemaVersion", "pipeline_spec"]),
    ("a run that is not there", lambda: jane.call("POST", f"{V2}/runs/gone:terminate"), {404}, ["gone"]),
    # lists
    ("a list of no namespace", lambda: jane.call("GET", f"{V2}/experiments"), {400}, ["namespace"]),
    ("a page of negative size", get("/experiments", page_size=-1), {400}, ["page_size", "page size"]),
    ("a page of no size", get("/experiments", page_size="many"), {400}, ["page_size"]),
    ("a page token that is none", get("/experiments", page_token="tampered"), {400}, ["page_token", "page token"]),
    ("sorted by nothing", get("/experiments", sort_by="colour"), {400}, ["colour"]),
    ("sorted by three words", get("/experiments", sort_by="name desc twice"), {400}, ["sort_by", "sort by", "name desc twice"]),
    ("sorted sideways", get("/experiments", sort_by="name sideways"), {400}, ["sideways"]),
    ("a filter that is no JSON", get("/experiments", filter="{predicates"), {400}, ["filter"]),
    ("a filter with an unknown field", filter_({"operation": "EQUALS", "key": "name", "stringValu": "x"}), {400}, ["stringValu"]),
    ("a filter by an unknown key", filter_({"operation": "EQUALS", "key": "colour", "string_value": "x"}), {400}, ["colour"]),
    ("a filter with SQL for a key", filter_({"operation": "EQUALS", "key": "name; DROP TABLE runs", "string_value": "x"}), {400},
     ["DROP TABLE"]),
    ("a filter with an unknown operation", filter_({"operation": "RESEMBLES", "key": "name", "string_value": "x"}), {400}, ["RESEMBLES", "operation"]),
    ("a filter without an operation", filter_({"key": "name", "string_value": "x"}), {400}, ["operation"]),
    ("a filter without a value", filter_({"operation": "EQUALS", "key": "name"}), {400}, ["value", "name"]),
    ("a substring of a number", filter_({"operation": "IS_SUBSTRING", "key": "name", "int_value": 3}), {400}, ["IS_SUBSTRING", "string"]),
    # routes
    ("a route that is not there", lambda: jane.call("GET", f"{V2}/ships"), {404}, [""]),
    ("a method that is not there", lambda: jane.call("PUT", f"{V2}/experiments", {}), {405, 501}, [""]),
]


def counts():
    """What is stored in the namespace."""
    kinds = ("experiments", "runs", "pipelines")
    found = {kind: jane.ok("GET", f"{V2}/{kind}", query={"namespace": namespace}).get("total_size", 0) for kind in kinds}
    found["shared"] = jane.ok("GET", f"{V2}/pipelines").get("total_size", 0)
    found["versions"] = jane.ok("GET", f"{V2}/pipelines/{pipeline}/versions").get("total_size", 0)
    return found


wrong, before = [], counts()
for what, request, statuses, words_ in CASES:
    try:
        answer = request()
        text = answer.text()
    except (OSError, UnicodeDecodeError) as error:
        wrong.append(f"{what}: no proper answer: {type(error).__name__}: {error}")
        continue
    if answer.status not in statuses:
        wrong.append(f"{what}: {answer.status} instead of {sorted(statuses)}: {text[:300]}")
    elif not any(word in text for word in words_) or len(text) < 10:
        wrong.append(f"{what}: the text names none of {words_}: {text[:300]}")
    elif len(text) > 10_000 or any(inside in text for inside in INSIDES):
        wrong.append(f"{what}: the text tells too much: {text[:300]}")
    elif not isinstance(json.loads(text) if text.startswith("{") else {}, dict):
        wrong.append(f"{what}: no JSON: {text[:300]}")
after = counts()
if after != before:
    wrong.append(f"something was stored: before {before}, after {after}")
os.kill(int(os.environ["SERVER_PID"]), 0)
assert jane.ok("GET", f"{V2}/healthz")["multi_user"] is True
assert not wrong, f"{len(wrong)} of {len(CASES)} cases:\n" + "\n".join(wrong)
print(f"{len(CASES)} cases, nothing stored: {after}")
