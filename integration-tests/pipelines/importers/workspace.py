"""What is imported into the workspace is read there."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def produce(file: dsl.Output[dsl.Dataset]) -> str:
    with open(file.path, "w") as out:
        out.write("ahoy")
    return file.uri


@dsl.component(base_image=IMAGE)
def load(file: dsl.Input[dsl.Dataset], workspace: str) -> str:
    inside = file.path.startswith(workspace)
    return f"{open(file.path).read()} {inside}"


@dsl.pipeline(name="importers-workspace",
              pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
def pipeline():
    imported = dsl.importer(artifact_uri=produce().outputs["Output"], artifact_class=dsl.Dataset, download_to_workspace=True)
    load(file=imported.output, workspace=dsl.WORKSPACE_PATH_PLACEHOLDER)
