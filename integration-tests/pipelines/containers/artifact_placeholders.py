"""Placeholders of artifacts: path, URI, metadata, and a whole list as JSON."""
from components import IMAGE, sh
from kfp import dsl


@dsl.component(base_image=IMAGE)
def produce(model: dsl.Output[dsl.Model]):
    model.metadata["colour"] = "blue"
    with open(model.path, "w") as file:
        file.write("ahoy")


@dsl.container_component
def show(model: dsl.Input[dsl.Model], text: dsl.OutputPath(str)):
    return sh('printf "%s,%s,%s" "$(cat "$1")" "${2##*/}" "$3" > "$4"', model.path, model.uri,
              model.metadata["colour"], text)


@dsl.pipeline(name="containers-artifact-placeholders")
def pipeline():
    show(model=produce().output)
