"""The client in TypeScript that docs/clients/typescript.md makes, from Node.

It proves that the program of the page does the main job over gRPC, and reads a log; that gRPC-Web reads and writes over
HTTP/1.1, over HTTP/2 and by `fetch`, as browsers do it; that over each of them another tenant, or nobody, is refused
with the code that the page names; and that ML metadata answers what KFP's web UI asks, in its order.
"""
import json
import os
import re

import languages
from harness import pages

built = os.environ["BUILT"]
with open(f"{built}/package.json") as file:
    package = json.load(file)
pinned = {f"{name}@{version}" for kind in ("dependencies", "devDependencies") for name, version in package[kind].items()}
installed = set(re.findall(r"\S+@[\d.]+", " ".join(re.findall("npm install (.*)", pages.text("typescript.md")))))
assert installed == pinned, f"the page installs {installed}, and this runs {pinned}"

run_id = languages.succeeded(languages.run(["node", "dist/submit.js", os.environ["KFP_HOST"], *languages.submission()], built))
log = languages.run(
    ["node", "dist/log.js", os.environ["KFP_HOST"], os.environ["KF_PIPELINES_SA_TOKEN_PATH"], run_id, "write-words"], built)
assert log, "the log is empty"
with open(os.environ["KF_PIPELINES_SA_TOKEN_PATH"]) as file:
    token = file.read().strip()
said = languages.run(["node", "dist/web.js", os.environ["KFP_HOST"], token, os.environ["KFP_NAMESPACE"]], built)
assert said == "true 1\n", said
said = languages.run(["node", "--test", "dist/kept.test.js", "dist/metadata.test.js"], built, RUN_ID=run_id)
print(f"run {run_id} SUCCEEDED,", *re.findall("(?:tests|pass) [0-9]+", said))
