"""What is imported becomes an artifact with its URI and its metadata, also of parameters; nothing is fetched."""
from components import say
from kfp import dsl


@dsl.pipeline(name="importers-remote")
def pipeline(uri: str = "gs://bucket/model", owner: str = "Jane"):
    dsl.importer(artifact_uri="gs://bucket/data", artifact_class=dsl.Dataset, metadata={"rows": 10, "of": ["a"]})
    dsl.importer(artifact_uri=uri, artifact_class=dsl.Model, metadata={"owner": owner, "text": f"by {owner}"})
    dsl.importer(artifact_uri="gs://bucket/anew", artifact_class=dsl.Dataset, reimport=True)
