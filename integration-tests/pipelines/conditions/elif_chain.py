"""If, two Elif and Else over a number: the first that is true wins."""
from components import count, say
from kfp import dsl


@dsl.pipeline(name="conditions-elif-chain")
def pipeline(number: int):
    counted = count(number=number)
    with dsl.If(counted.output > 10):
        say(text="large")
    with dsl.Elif(counted.output > 5):
        say(text="medium")
    with dsl.Elif(counted.output > 0):
        say(text="small")
    with dsl.Else():
        say(text="nothing")
