"""Pipelines of one task that need nothing but a shell, and what is no pipeline of this kind, as JSON."""

ARGO = {
    "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "old-"},
    "spec": {"entrypoint": "old", "arguments": {"parameters": [{"name": "name", "value": "world"}]},
             "templates": [{"name": "old", "container": {"image": "alpine", "command": ["true"]}}]},
}


def spec(name: str, script: str, artifact: bool = False) -> dict:
    """In the script, `$0` is the parameter `word`, and `$1` the path of the artifact `greeting`."""
    outputs = {"outputDefinitions": {"artifacts": {"greeting": {
        "artifactType": {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}}}}} if artifact else {}
    arguments = ["{{$.inputs.parameters['word']}}", *(["{{$.outputs.artifacts['greeting'].path}}"] if artifact else [])]
    return {
        "pipelineInfo": {"name": name}, "schemaVersion": "2.1.0", "sdkVersion": "kfp-2.17.0",
        "root": {
            "inputDefinitions": {"parameters": {"word": {"parameterType": "STRING", "defaultValue": "ahoy", "isOptional": True}}},
            "dag": {"tasks": {name: {
                "componentRef": {"name": f"comp-{name}"}, "taskInfo": {"name": name},
                "inputs": {"parameters": {"word": {"componentInputParameter": "word"}}}}}}},
        "components": {f"comp-{name}": {
            "executorLabel": f"exec-{name}", "inputDefinitions": {"parameters": {"word": {"parameterType": "STRING"}}}, **outputs}},
        "deploymentSpec": {"executors": {f"exec-{name}": {"container": {
            "image": "alpine", "command": ["sh", "-c", script], "args": arguments}}}},
    }


HELLO = spec("hello", 'echo "Ahoy, $0!"; mkdir -p "$(dirname "$1")"; printf "Ahoy, %s!" "$0" > "$1"', artifact=True)
FAIL = spec("fail", 'echo "Aground, $0"; exit 3')
SLEEP = spec("sleep", 'echo "Asleep, $0"; sleep 300')
