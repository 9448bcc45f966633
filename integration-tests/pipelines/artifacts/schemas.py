"""An artifact of each schema that the SDK has, with metadata, and what a task downstream sees of it."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def produce(artifact: dsl.Output[dsl.Artifact], dataset: dsl.Output[dsl.Dataset], model: dsl.Output[dsl.Model]):
    for each, name in ((artifact, "artifact"), (dataset, "dataset"), (model, "model")):
        with open(each.path, "w") as file:
            file.write(name)
        each.metadata["of"] = name
    model.framework = "none"


@dsl.component(base_image=IMAGE)
def consume(artifact: dsl.Input[dsl.Artifact], dataset: dsl.Input[dsl.Dataset], model: dsl.Input[dsl.Model]) -> str:
    found = [f"{open(each.path).read()}={each.metadata['of']}" for each in (artifact, dataset, model)]
    return " ".join(found) + f" {model.framework}"


@dsl.pipeline(name="artifacts-schemas")
def pipeline():
    produced = produce().outputs
    consume(artifact=produced["artifact"], dataset=produced["dataset"], model=produced["model"])
