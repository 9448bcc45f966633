"""Arguments that are put together, also of parts that are put together, and of paths."""
from components import sh
from kfp import dsl


@dsl.container_component
def put(name: str, number: int, text: dsl.OutputPath(str), file: dsl.Output[dsl.Artifact]):
    return sh(
        'printf "%s" "$1" > "$2"; printf "%s" "$1" > "${3#file=}"',
        dsl.ConcatPlaceholder(["--", name, "=", dsl.ConcatPlaceholder([number, "!"])]), text,
        dsl.ConcatPlaceholder(["file=", file.path]))


@dsl.pipeline(name="containers-concat")
def pipeline(name: str = 'it\'s "it"'):
    put(name=name, number=3)
