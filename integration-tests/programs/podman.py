"""Tasks that run in the images that their components name: what is in them, what is not, and what a restart leaves."""
import json
import os

from kfp import Client, compiler, dsl
from kfp.client.set_volume_credentials import ServiceAccountTokenVolumeCredentials

import rest

IMAGE = "python:3.11"


@dsl.component(base_image=IMAGE)
def look(count: int, text: dsl.Output[dsl.Artifact]) -> str:
    """Says where it is."""
    import os
    with open(text.path, "w") as file:
        file.write("word " * count)
    return f"{os.path.exists('/run/.containerenv')} {os.environ.get('PIP_NO_INDEX')} {sorted(os.listdir('/home'))}"


@dsl.component(base_image=IMAGE)
def count(text: dsl.Input[dsl.Artifact]) -> int:
    return len(open(text.path).read().split())


@dsl.container_component
def shell(message: str, out: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["sh", "-c", 'mkdir -p "$(dirname "$1")"; printf %s "$0" > "$1"'],
                             args=[message, out])


@dsl.container_component
def absent():
    return dsl.ContainerSpec(image="registry.invalid/team/no-such-image:1", command=["true"])


@dsl.container_component
def file_of_the_host():
    return dsl.ContainerSpec(image="docker-archive:/etc/passwd", command=["true"])


@dsl.container_component
def hungry():
    return dsl.ContainerSpec(image=IMAGE, command=["python3", "-c", "x = bytearray(600 << 20)"])


@dsl.pipeline
def fine(number: int = 7):
    seen = look(count=number)
    count(text=seen.outputs["text"])
    shell(message="two words, 'quoted' \"twice\"\nand a line")


@dsl.pipeline
def failing():
    absent()
    file_of_the_host()
    hungry().set_memory_limit("64M")


client = Client(host=os.environ["KFP_HOST"], credentials=ServiceAccountTokenVolumeCredentials(path=None))
namespace = os.environ["KFP_NAMESPACE"]


def run(pipeline, **parameters):
    package = os.path.join(os.environ["SCRATCH"], f"{pipeline.name}.yaml")
    compiler.Compiler().compile(pipeline, package)
    made = client.create_run_from_pipeline_package(package, arguments=parameters, namespace=namespace, enable_caching=False)
    done = client.wait_for_run_completion(made.run_id, 300)
    lines = rest.jane().call("GET", f"/apis/bulkhead/v1/runs/{done.run_id}:watch").text().splitlines()
    told = [json.loads(line)["result"] for line in lines]
    return done, {task["name"]: task for message in told for task in message.get("tasks", [])}


done, tasks = run(fine, number=9)
assert done.state == "SUCCEEDED", done
said = {name: task["outputs"]["parameters"] for name, task in tasks.items()}
assert said == {
    "look": {"Output": "True None []"}, "count": {"Output": 9},
    "shell": {"out": "two words, 'quoted' \"twice\"\nand a line"}}, said

done, tasks = run(failing)
assert done.state == "FAILED", done
said = {name: task.get("error", "") for name, task in tasks.items()}
assert "registry.invalid/team/no-such-image:1 cannot be pulled" in said["absent"], said
assert "names a place other than a registry" in said["file-of-the-host"], said
assert "used more memory than its limit of 64000000 bytes" in said["hungry"], said
print("images are honoured, and refused by name")
