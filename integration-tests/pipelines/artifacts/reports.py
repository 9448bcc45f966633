"""What the UI shows: HTML, Markdown, and metrics, which are metadata without a file."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def produce(page: dsl.Output[dsl.HTML], notes: dsl.Output[dsl.Markdown], scores: dsl.Output[dsl.Metrics]):
    with open(page.path, "w") as file:
        file.write("<p>ahoy</p>")
    with open(notes.path, "w") as file:
        file.write("# Ahoy\n")
    scores.log_metric("accuracy", 0.75)
    scores.log_metric("rows", 12)


@dsl.pipeline(name="artifacts-reports")
def pipeline():
    produce()
