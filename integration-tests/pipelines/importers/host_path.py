"""A place of the server's host is no artifact, whoever can read it there."""
from components import read
from kfp import dsl


@dsl.pipeline(name="importers-host-path")
def pipeline():
    read(file=dsl.importer(artifact_uri="/etc/passwd", artifact_class=dsl.Dataset).output)
