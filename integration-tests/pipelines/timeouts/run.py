"""A run that takes longer than it may fails, whatever its tasks may take."""
from components import nap, say
from kfp import dsl


@dsl.pipeline(name="timeouts-run", pipeline_config=dsl.PipelineConfig(active_deadline_seconds=2))
def pipeline():
    say(text="never").after(nap(seconds="60"))
