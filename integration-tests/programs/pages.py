"""The code in docs/clients/python.md and docs/clients/grpcurl.md, run as it stands there.

It proves that what a reader copies works: with the SDK, with the generated REST client, over gRPC with stubs that are
made as the page says, and from a shell. Only the server's address is another one than in the pages.
"""
import os
import shutil
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from harness import pages

folder = Path(os.environ["SCRATCH"]) / "reader"
folder.mkdir()
shutil.copy(os.environ["KF_PIPELINES_SA_TOKEN_PATH"], folder / "jane.token")
shutil.copy(Path(os.environ["PIPELINES"]) / "greeting.yaml", folder)
(folder / "proto").symlink_to(os.environ["PROTOS"])
grpc_python = Path(os.environ["GRPC_PYTHON"])
path = f"{grpc_python.parent}:{os.environ['PATH']}"
address = os.environ["KFP_HOST"].removeprefix("http://")


def run(what, command, code):
    done = subprocess.run(
        [*command, code.replace("127.0.0.1:8888", address)], cwd=folder, env=os.environ | {"PATH": path},
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=300)
    assert done.returncode == 0, f"{what}\n{code}\n{done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


ran = []
for page in ("python.md", "grpcurl.md"):
    for code in pages.blocks(page, "sh"):
        if code.startswith("pip install"):
            for package, pinned in re.findall(r"(\S+)==(\S+)", code):
                assert version(package) == pinned, f"{page} installs {package} {pinned}, and this is {version(package)}"
        else:
            run(page, ["bash", "-ec"], code)
            ran.append(page)
    for code in pages.blocks(page, "python"):
        said = run(page, [grpc_python if "import grpc\n" in code else sys.executable, "-W", "ignore", "-c"], code)
        # What a comment says is printed.
        for line in code.splitlines():
            if line.startswith("print(") and "  # " in line:
                assert line.split("  # ")[1] in said.splitlines(), f"{line}\n{said}"
        ran.append(page)
assert set(ran) == {"python.md", "grpcurl.md"}, ran
print(f"{len(ran)} snippets")
