"""The pipelines that the programs run. Compile all of them: python pipelines.py FOLDER"""
import sys
from pathlib import Path

from kfp import compiler, dsl


@dsl.component(base_image="python:3.11")
def write_words(how_many: int, words: dsl.Output[dsl.Dataset]) -> int:
    with open(words.path, "w") as file:
        for number in range(how_many):
            file.write("ahoy " * number + "\n")
    words.metadata["lines"] = how_many
    return how_many


@dsl.component(base_image="python:3.11")
def count_words(words: dsl.Input[dsl.Dataset], lines: int, expected: int) -> int:
    with open(words.path) as file:
        found = [line.split() for line in file]
    assert len(found) == lines == int(words.metadata["lines"]), (len(found), lines, words.metadata)
    counted = sum(len(line) for line in found)
    assert counted == expected, (counted, expected)
    return counted


@dsl.pipeline(name="words")
def words(how_many: int = 4, expected: int = 6) -> int:
    """A parameter, an artifact with metadata, and a task that needs both; it fails when its parameters do not arrive."""
    written = write_words(how_many=how_many)
    return count_words(words=written.outputs["words"], lines=written.outputs["Output"], expected=expected).output


@dsl.pipeline(name="demanding")
def demanding(how_many: int, expected: int = 6, title: str = "log") -> int:
    """The same, with a parameter that has no default."""
    written = write_words(how_many=how_many)
    return count_words(words=written.outputs["words"], lines=written.outputs["Output"], expected=expected).output


@dsl.component(base_image="python:3.11")
def nap(seconds: int, marker: str):
    import subprocess
    import sys
    import time

    # A child, and a grandchild that nobody waits for. Their argument is put together here, so that the wrappers around
    # this task, which have its parameters among their arguments, do not have it.
    sleeper = [sys.executable, "-c", f"import time; time.sleep({seconds})", marker + "-asleep"]
    subprocess.Popen(["sh", "-c", '"$@" & exit 0', "sh", *sleeper], start_new_session=True)
    subprocess.Popen(sleeper)
    time.sleep(seconds)


@dsl.pipeline(name="nap")
def napping(marker: str, seconds: int = 240):
    nap(seconds=seconds, marker=marker).set_caching_options(False)


@dsl.pipeline(name="stubborn-nap")
def stubborn(marker: str, seconds: int = 8):
    """It has a second attempt, which is what a crash of the server costs it."""
    task = nap(seconds=seconds, marker=marker).set_caching_options(False)
    task.set_retry(num_retries=2, backoff_duration="0s")


@dsl.component(base_image="python:3.11")
def bury(treasure: str, chest: dsl.Output[dsl.Artifact]) -> str:
    with open("beside.txt", "w") as beside, open(chest.path, "w") as inside:
        for file in (beside, inside):
            file.write(treasure)
    print(treasure)
    return treasure


@dsl.pipeline(name="treasure")
def treasure(treasure: str) -> str:
    """Leaves a secret wherever a task leaves things: its folder, its log, an artifact, a parameter."""
    return bury(treasure=treasure).set_caching_options(False).outputs["Output"]


@dsl.component(base_image="python:3.11")
def murmur(words: str, lines: int, notes: dsl.Output[dsl.Artifact], shelf: dsl.Output[dsl.Artifact],
           score: dsl.Output[dsl.Metrics]):
    import os
    import time

    for number in range(lines):
        print(words, number, flush=True)
        time.sleep(0.3)
    with open(notes.path, "wb") as file:
        file.write(bytes(range(256)) * 1000 + words.encode())
    os.mkdir(shelf.path)
    # This one is metadata, without a file.
    score.log_metric("lines", lines)


@dsl.pipeline(name="murmur")
def murmuring(words: str, lines: int = 20):
    """Says something slowly, and leaves a file, a folder and a number."""
    murmur(words=words, lines=lines).set_caching_options(False)


# A package that a machine is unlikely to have: environments build upon what the server's Python has.
@dsl.component(base_image="python:3.11", packages_to_install=["cowsay==6.1"])
def use_package() -> str:
    import cowsay

    assert "ahoy" in cowsay.get_output_string("cow", "ahoy")
    return cowsay.__version__


@dsl.pipeline(name="packaged")
def packaged() -> str:
    return use_package().set_caching_options(False).output


@dsl.component(base_image="python:3.11")
def hello(name: str) -> str:
    return f"Hello, {name}!"


@dsl.pipeline
def greeting(name: str = "Jane"):
    """The one of the README, which the pages in docs/clients run."""
    hello(name=name)


@dsl.component(base_image="python:3.11")
def give(word: str) -> str:
    return word


@dsl.component(base_image="python:3.11")
def wait_for(moment: float, word: str) -> str:
    import time

    assert time.time() >= moment, "it is too early"
    return word


@dsl.pipeline(name="early")
def early(moment: float, word: str = "ahoy") -> str:
    """A task that succeeds, and one that fails before a moment has come."""
    return wait_for(moment=moment, word=give(word=word).output).output


ALL = {
    "early": early,
    "words": words,
    "demanding": demanding,
    "nap": napping,
    "stubborn": stubborn,
    "packaged": packaged,
    "treasure": treasure,
    "greeting": greeting,
    "murmur": murmuring,
}

if __name__ == "__main__":
    for name, pipeline in ALL.items():
        compiler.Compiler().compile(pipeline, str(Path(sys.argv[1]) / f"{name}.yaml"))
