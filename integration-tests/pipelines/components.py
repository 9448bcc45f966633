"""Small components that many of the pipelines share. Most are a line of sh, which takes a few milliseconds."""
from kfp import dsl

IMAGE = "python:3.11"


def sh(script: str, *args):
    """A container that runs a line of sh with these arguments, from `$1` on."""
    return dsl.ContainerSpec(image=IMAGE, command=["sh", "-ec", script, "sh"], args=list(args))


@dsl.container_component
def say(text: str, said: dsl.OutputPath(str)):
    return sh('printf %s "$1" > "$2"', text, said)


@dsl.container_component
def pair(first: str, second: str, said: dsl.OutputPath(str)):
    """Two texts, one after the other. In nested loops, and of fields of items, the SDK makes no text of several."""
    return sh('printf %s%s "$1" "$2" > "$3"', first, second, said)


@dsl.container_component
def count(number: int, counted: dsl.OutputPath(int)):
    return sh('printf %s "$1" > "$2"', number, counted)


@dsl.container_component
def listing(text: str, items: dsl.OutputPath(list)):
    """Puts out a list, of which `text` is the JSON."""
    return sh('printf %s "$1" > "$2"', text, items)


@dsl.container_component
def length(items: list, found: dsl.OutputPath(str)):
    """Puts out the JSON of a list as it arrived."""
    return sh('printf %s "$1" > "$2"', items, found)


@dsl.container_component
def write(text: str, file: dsl.Output[dsl.Dataset]):
    return sh('printf %s "$1" > "$2"', text, file.path)


@dsl.container_component
def read(file: dsl.Input[dsl.Dataset], text: dsl.OutputPath(str)):
    return sh('cat "$1" > "$2"', file.path, text)


@dsl.container_component
def fail(code: int = 3):
    return sh('echo failing >&2; exit "$1"', code)


@dsl.container_component
def fail_if(text: str, unwanted: str):
    return sh('test "$1" != "$2"', text, unwanted)


@dsl.container_component
def nap(seconds: str):
    return sh('sleep "$1"', seconds)


@dsl.container_component
def flaky(successes_from: int, attempt: dsl.OutputPath(str)):
    """Fails until it is tried for the time whose index is given; the first has the index 0."""
    return sh('test "$KFP_RETRY_INDEX" -ge "$1"; printf %s "$KFP_RETRY_INDEX" > "$2"', successes_from, attempt)


@dsl.component(base_image=IMAGE)
def add(a: int, b: int) -> int:
    return a + b


@dsl.component(base_image=IMAGE)
def total(numbers: list) -> int:
    return sum(numbers)


@dsl.component(base_image=IMAGE)
def join(words: list, by: str = ",") -> str:
    return by.join(str(word) for word in words)


@dsl.component(base_image=IMAGE)
def save(text: str, file: dsl.Output[dsl.Dataset]):
    with open(file.path, "w") as out:
        out.write(text)
    file.metadata["length"] = len(text)


@dsl.component(base_image=IMAGE)
def load_all(files: dsl.Input[list[dsl.Dataset]]) -> str:
    """The texts of all files, in the order of the list. The SDK makes None of an empty one."""
    return ",".join(open(file.path).read() for file in files or [])


@dsl.component(base_image=IMAGE)
def report(status: dsl.PipelineTaskFinalStatus) -> str:
    """The state that an exit task is told, and of what."""
    return f"{status.pipeline_task_name}: {status.state}"
