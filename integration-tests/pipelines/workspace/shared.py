"""Tasks of a run share a folder, also from within loops; a path within it can be put together."""
from components import sh
from kfp import dsl


@dsl.container_component
def put(folder: str, name: str):
    return sh('mkdir -p "$1/words"; printf "<%s>" "$2" > "$1/words/$2"', folder, name)


@dsl.container_component
def gather(folder: str, text: dsl.OutputPath(str)):
    return sh('cat "$1"/* > "$2"', folder, text)


@dsl.pipeline(name="workspace-shared", pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
def pipeline():
    first = put(folder=dsl.WORKSPACE_PATH_PLACEHOLDER, name="a")
    with dsl.ParallelFor(["b", "c"]) as name:
        put(folder=dsl.WORKSPACE_PATH_PLACEHOLDER, name=name)
    gather(folder=f"{dsl.WORKSPACE_PATH_PLACEHOLDER}/words").after(first)


def edit(spec):
    """`after` of the SDK takes no group of tasks but an exit handler."""
    spec["root"]["dag"]["tasks"]["gather"]["dependentTasks"] = ["for-loop-2", "put"]
