"""An artifact that is a folder, with folders and an empty file in it."""
from components import sh
from kfp import dsl


@dsl.container_component
def fill(folder: dsl.Output[dsl.Dataset]):
    return sh('mkdir -p "$1/deep/er"; printf one > "$1/a"; printf two > "$1/deep/er/b c"; : > "$1/empty"', folder.path)


@dsl.container_component
def look(folder: dsl.Input[dsl.Dataset], found: dsl.OutputPath(str)):
    return sh('cd "$1"; printf "%s %s %s" "$(cat a)" "$(cat "deep/er/b c")" "$(find . -type f | wc -l)" > "$2"', folder.path, found)


@dsl.pipeline(name="artifacts-folders")
def pipeline():
    look(folder=fill().output)
