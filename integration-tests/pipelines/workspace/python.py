"""Python components write to the workspace and read it."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def put(folder: str):
    import os

    os.makedirs(os.path.join(folder, "deep", "er"))
    with open(os.path.join(folder, "deep", "er", "file"), "w") as file:
        file.write("ahoy")


@dsl.component(base_image=IMAGE)
def get(folder: str) -> str:
    return open(f"{folder}/deep/er/file").read()


@dsl.pipeline(name="workspace-python", pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="10Mi")))
def pipeline():
    get(folder=dsl.WORKSPACE_PATH_PLACEHOLDER).after(put(folder=dsl.WORKSPACE_PATH_PLACEHOLDER))
