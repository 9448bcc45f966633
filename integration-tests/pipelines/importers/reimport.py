"""An artifact that was imported before is the same one, unless it is to be imported anew."""
from kfp import dsl


@dsl.pipeline(name="importers-reimport")
def pipeline():
    dsl.importer(artifact_uri="gs://bucket/once", artifact_class=dsl.Dataset, metadata={"a": 1})
    dsl.importer(artifact_uri="gs://bucket/anew", artifact_class=dsl.Dataset, reimport=True)
