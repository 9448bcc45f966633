"""Each run has a workspace of its own: the second finds nothing of the first."""
from components import sh
from kfp import dsl


@dsl.container_component
def count_files(folder: str, found: dsl.OutputPath(int)):
    return sh('ls "$1" | wc -l > "$2"; : > "$1/mine"', folder, found)


@dsl.pipeline(name="workspace-apart", pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
def pipeline():
    count_files(folder=dsl.WORKSPACE_PATH_PLACEHOLDER)
