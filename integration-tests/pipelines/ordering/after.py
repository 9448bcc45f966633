"""Tasks that share nothing but an order, one after the other."""
from components import IMAGE
from kfp import dsl


@dsl.container_component
def clock(moment: dsl.OutputPath(int)):
    return dsl.ContainerSpec(image=IMAGE, command=["sh", "-c", 'date +%s%N > "$0"'], args=[moment])


@dsl.component(base_image=IMAGE)
def ordered(first: int, second: int, third: int) -> bool:
    return first < second < third


@dsl.pipeline(name="ordering-after")
def pipeline():
    last, middle, first = clock(), clock(), clock()
    last.after(middle)
    middle.after(first)
    ordered(first=first.output, second=middle.output, third=last.output)
