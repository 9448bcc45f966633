"""What users write arrives as they wrote it: quotes, newlines, shell words, and text that looks like placeholders."""
from components import IMAGE, say
from kfp import dsl


@dsl.component(base_image=IMAGE)
def echo(text: str) -> str:
    return text


@dsl.pipeline(name="parameters-hostile-text")
def pipeline(quotes: str, lines: str, unicode: str, shell: str, everything: str, placeholder: str, empty: str):
    say(text=quotes)
    say(text=lines)
    say(text=unicode)
    say(text=shell)
    say(text=everything)
    say(text=placeholder)
    say(text=empty)
    echo(text=quotes)
    echo(text=lines)
    echo(text=unicode)
    echo(text=shell)
    echo(text=everything)
    echo(text=placeholder)
    echo(text=empty)
