"""Metrics, pages and notes of each iteration, and a task that reads all of them."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def produce(name: str, page: dsl.Output[dsl.HTML], notes: dsl.Output[dsl.Markdown], scores: dsl.Output[dsl.Metrics]):
    for each in (page, notes):
        with open(each.path, "w") as file:
            file.write(name)
    scores.log_metric("length", len(name))


@dsl.component(base_image=IMAGE)
def gather(pages: dsl.Input[list[dsl.HTML]], notes: dsl.Input[list[dsl.Markdown]], scores: dsl.Input[list[dsl.Metrics]]) -> str:
    texts = [open(each.path).read() for each in (*pages, *notes)]
    return " ".join([*texts, *(str(int(each.metadata["length"])) for each in scores)])


@dsl.pipeline(name="artifacts-reports-in-loops")
def pipeline():
    with dsl.ParallelFor(["a", "bc"]) as name:
        produced = produce(name=name)
    gather(**{key: dsl.Collected(produced.outputs[name])
              for key, name in (("pages", "page"), ("notes", "notes"), ("scores", "scores"))})
