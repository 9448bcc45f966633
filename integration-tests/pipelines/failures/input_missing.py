"""A task whose input cannot be fetched fails; there is no such file."""
from components import read
from kfp import dsl


@dsl.pipeline(name="failures-input-missing")
def pipeline():
    imported = dsl.importer(artifact_uri="gs://127.0.0.1-nowhere/file", artifact_class=dsl.Dataset, reimport=True)
    read(file=imported.output)
