"""The pipelines below `pipelines/`: whether each is what the SDK compiles today, and whether its expectations tell all.

It proves that what `engine` runs is what users get, and that no task, output or artifact of it goes without a word.
"""
import subprocess
import sys
from pathlib import Path

COMPILE = Path(__file__).resolve().parents[1] / "pipelines" / "compile.py"

sys.exit(subprocess.run([sys.executable, "-W", "ignore", COMPILE, "--check"]).returncode)
