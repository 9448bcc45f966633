"""The URI comes from a task, and so does the file: it is read as any other artifact."""
from components import IMAGE, read
from kfp import dsl


@dsl.component(base_image=IMAGE)
def produce(file: dsl.Output[dsl.Dataset]) -> str:
    with open(file.path, "w") as out:
        out.write("ahoy")
    return file.uri


@dsl.pipeline(name="importers-task-outputs")
def pipeline():
    produced = produce()
    imported = dsl.importer(artifact_uri=produced.outputs["Output"], artifact_class=dsl.Dataset, metadata={"a": "b"})
    read(file=imported.output)
