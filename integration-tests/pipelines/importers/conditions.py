"""An importer waits for what it comes after, and is skipped with its group."""
from components import say
from kfp import dsl


@dsl.pipeline(name="importers-conditions")
def pipeline(flip: str = "tails"):
    first = say(text=flip)
    with dsl.If(first.output == "heads"):
        dsl.importer(artifact_uri="gs://bucket/heads", artifact_class=dsl.Model)
    with dsl.Else():
        dsl.importer(artifact_uri="gs://bucket/tails", artifact_class=dsl.Model).after(say(text="before"))
