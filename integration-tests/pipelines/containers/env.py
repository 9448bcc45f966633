"""Variables of the environment: fixed, with odd text, and of a parameter."""
from components import sh
from kfp import dsl


@dsl.container_component
def show(text: dsl.OutputPath(str)):
    return sh('printf "%s,%s,%s" "$PLAIN" "$ODD" "${UNSET-unset}" > "$1"', text)


@dsl.pipeline(name="containers-env")
def pipeline():
    task = show()
    task.set_env_variable("PLAIN", "ahoy")
    task.set_env_variable("ODD", 'a "b" $HOME\n$(id)')
