"""`buf lint` on the project's protos.

It proves that they keep to buf's standard rules but for the exceptions in proto/buf.yaml, and that each of those
exceptions is still needed. No server takes part.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

protos = Path(os.environ["PROTOS"])
configuration = yaml.safe_load((protos / "buf.yaml").read_text())


def findings(configuration):
    command = [Path(sys.executable).with_name("buf"), "lint", "--error-format=json", "--config", json.dumps(configuration)]
    done = subprocess.run(command, cwd=protos, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    # 100 tells of findings; anything else is that it could not be done.
    assert done.returncode in (0, 100), f"{done.returncode}: {done.stdout}{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


found = findings(configuration)
assert not found, "\n".join(f"{f['path']}:{f.get('start_line')}: {f['type']}: {f['message']}" for f in found)
lint = configuration["lint"]
exceptions = {(rule, path) for rule, paths in lint["ignore_only"].items() for path in paths}
excepted = [(f["type"], f["path"]) for f in findings({**configuration, "lint": {**lint, "ignore_only": {}}})]
needless = [(rule, path) for rule, path in exceptions
            if not any(rule == type_ and (file == path or file.startswith(path + "/")) for type_, file in excepted)]
assert not needless, f"nothing needs these exceptions: {needless}"
print(f"{len(list(protos.rglob('*.proto')))} files, {len(exceptions)} exceptions, all needed")
