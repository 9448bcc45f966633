"""A loop over dicts, of which tasks take a field each: given in the pipeline, and by the run."""
from components import IMAGE, say
from kfp import dsl


@dsl.component(base_image=IMAGE)
def show(item: dict) -> str:
    return ",".join(f"{key}={item[key]}" for key in sorted(item))


@dsl.pipeline(name="loops-fields")
def pipeline(given: list):
    with dsl.ParallelFor([{"title": "a", "size": 1}, {"title": "b", "size": 2.5}]) as item:
        say(text=item.title)
        say(text=item.size)
    with dsl.ParallelFor(given) as item:
        say(text=item.title)
        show(item=item)
