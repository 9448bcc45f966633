"""What tenants upload."""
import json

import specs

# What runs to an end at once is chosen more often than what has to be waited for.
RUNNABLE = [specs.HELLO, specs.HELLO, specs.HELLO, specs.FAIL, specs.SLEEP]
BROKEN = [("pipeline.yaml", "pipelineInfo: [unclosed"), ("pipeline.yaml", ""), ("pipeline.exe", "MZ"),
          ("pipeline.zip", "PK is how it begins"),
          ("pipeline.json", json.dumps(
              {"pipelineInfo": {"name": "x"}, "schemaVersion": "2.0.0", "root": {"dag": {"tasks": {}}}})), ]


def file(rng) -> tuple:
    """The name and the text of an upload."""
    luck = rng.random()
    if luck < 0.1:
        return rng.choice(BROKEN)
    return "pipeline.json", json.dumps(specs.ARGO if luck < 0.2 else rng.choice(RUNNABLE))
