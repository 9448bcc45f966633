"""What is collected from a loop is of whichever branch ran in each iteration; a list that a task puts out stays one."""
from components import length, listing, say
from kfp import dsl


@dsl.pipeline(name="inner")
def inner(number: int) -> str:
    with dsl.If(number > 1):
        one = say(text="large")
    with dsl.Else():
        two = say(text="small")
    return dsl.OneOf(one.output, two.output)


@dsl.pipeline(name="collected-one-of")
def pipeline() -> list:
    with dsl.ParallelFor([2, 1]) as number:
        called = inner(number=number)
        listed = listing(text=f'["{called.output}"]')
    length(items=dsl.Collected(called.output))
    return dsl.Collected(listed.output)
