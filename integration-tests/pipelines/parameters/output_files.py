"""Outputs that a container leaves in files, read by their types: text as it is, numbers with space around them."""
from components import sh
from kfp import dsl


@dsl.container_component
def put_out(text: dsl.OutputPath(str), integer: dsl.OutputPath(int), number: dsl.OutputPath(float),
            flag: dsl.OutputPath(bool), items: dsl.OutputPath(list), fields: dsl.OutputPath(dict)):
    script = """printf ' ahoy\\n' > "$1"; echo ' 42 ' > "$2"; echo 2.5e-1 > "$3"; printf True > "$4"
echo '[1, "two", null]' > "$5"; echo '{"a": {"b": [true]}}' > "$6" """
    return sh(script, text, integer, number, flag, items, fields)


@dsl.pipeline(name="parameters-output-files")
def pipeline():
    put_out()
