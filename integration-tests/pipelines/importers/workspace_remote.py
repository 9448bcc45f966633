"""What is elsewhere cannot be brought into the workspace: there is no object store to take it from."""
from components import read
from kfp import dsl


@dsl.pipeline(name="importers-workspace-remote",
              pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
def pipeline():
    imported = dsl.importer(artifact_uri="gs://127.0.0.1-nowhere/file", artifact_class=dsl.Dataset, download_to_workspace=True)
    read(file=imported.output)
