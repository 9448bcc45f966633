"""Requests that schemathesis makes up from the served OpenAPI documents.

It proves that whatever jane sends, what fits the documents and what does not, no answer is a failure of the server
(501 says that a feature is not there, which is an answer), and that each has a status, a content type and a body that
the document declares. Nothing is spared: the server is our own. The reading goes first, while what it reads is there.
"""
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import rest

scratch, tag, jane = Path(os.environ["SCRATCH"]), f"{time.time_ns():x}", rest.jane()
V2 = "/apis/v2beta1"
SECONDS, EXAMPLES, SEED = 20, 12, 1912
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"

# Things to find, so that not every answer is that there is no such thing.
experiment, pipeline = jane.experiment(tag), jane.pipeline("words", tag)
version = jane.ok("GET", f"{V2}/pipelines/{pipeline}/versions")["pipeline_versions"][0]["pipeline_version_id"]
run = jane.run(experiment, pipeline, tag)
recurring = jane.ok("POST", f"{V2}/recurringruns", {
    "display_name": tag, "experiment_id": experiment, "max_concurrency": "1", "mode": "ENABLE",
    "trigger": {"periodic_schedule": {"interval_second": "3600"}},
    "pipeline_version_reference": {"pipeline_id": pipeline, "pipeline_version_id": version}})["recurring_run_id"]
jane.ended(run)
KNOWN = {
    "namespace": [os.environ["KFP_NAMESPACE"]], "experiment_id": [experiment], "pipeline_id": [pipeline],
    "pipeline_version_id": [version], "version_id": [version], "run_id": [run], "recurring_run_id": [recurring],
    "id": [experiment, pipeline, run, recurring], "node_id": ["write-words"], "artifact_name": ["words"], "name": [tag],
    "pipeline_pipeline_id": [pipeline], "pipeline_version_pipeline_id": [pipeline], "pipelineid": [pipeline],
    "pipeline_version_pipeline_version_id": [version], "query.resource_key.id": [pipeline],
    "query.resource_reference_key.type": ["NAMESPACE", "EXPERIMENT"],
    "query.resource_reference_key.id": [os.environ["KFP_NAMESPACE"], experiment],
}


def configuration(probability):
    """How often a parameter is one of the things that are there."""
    lines = ["[checks.not_a_server_error]", 'expected-statuses = ["2xx", "3xx", "4xx", 501]']
    for number, values in enumerate(KNOWN.values()):
        lines += [f"[dictionaries.known{number}]", f"values = {values}"]
    lines.append("[parameters]")
    for number, name in enumerate(KNOWN):
        lines.append(f'"{name}" = {{ dictionary = "known{number}", probability = {probability} }}')
    file = scratch / f"schemathesis-{probability}.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def document(version):
    """As it is served, but for the dots in the names of path parameters, which schemathesis cannot read."""
    found = jane.ok("GET", f"/apis/{version}/swagger.json")
    for path in list(found["paths"]):
        item = found["paths"][re.sub(r"\{[^}]+\}", lambda name: name[0].replace(".", "_"), path)] = found["paths"].pop(path)
        for operation in item.values():
            for parameter in operation.get("parameters", []) if isinstance(operation, dict) else []:
                if parameter["in"] == "path":
                    parameter["name"] = parameter["name"].replace(".", "_")
    file = scratch / f"{version}.json"
    file.write_text(json.dumps(found))
    return file


def ask(version, what, probability, *options):
    command = [
        Path(sys.executable).with_name("schemathesis"), "--config-file", configuration(probability), "run",
        document(version), "--url", f"http://{jane.address}", "--header", f"Authorization: Bearer {jane.token}",
        "--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", EXAMPLES, "--max-time", SECONDS,
        "--seed", SEED, "--continue-on-failure", "--no-shrink", "--warnings", "off", "--request-timeout", 30, *options]
    done = subprocess.run(
        [str(part) for part in command], cwd=scratch, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{version}, {what}:\n{done.stdout[-20_000:]}{done.stderr}"
    print(done.stdout)
    return next(line.strip() for line in done.stdout.splitlines() if "generated" in line)


said = []
for api in ("v2beta1", "v1beta1"):
    said.append(f"{api} reading: {ask(api, 'reading', 0.9, '--include-method', 'GET')}")
for api in ("v2beta1", "v1beta1"):
    said.append(f"{api}: {ask(api, 'everything', 0.5)}")
assert jane.ok("GET", f"{V2}/healthz")["multi_user"] is True
answers = Counter(re.findall(r"answered .* status=(\d+)", Path(os.environ["SERVER_FOLDER"], "server.log").read_text()))
assert answers["200"] > 100, f"hardly anything was found: {answers}"
print("; ".join(said), dict(answers.most_common()))
