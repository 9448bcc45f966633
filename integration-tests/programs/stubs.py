"""Stubs for gRPC, made from the project's protos at test time; who imports this can import `backend.api` afterwards."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import google

protos, stubs = Path(os.environ["PROTOS"]), tempfile.mkdtemp()
files = [str(file.relative_to(protos)) for file in protos.rglob("*.proto")]
subprocess.run(
    [sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", f"--python_out={stubs}", f"--grpc_python_out={stubs}", *files],
    check=True, stdin=subprocess.DEVNULL)
# The stubs bring packages "google.api" and "google.rpc" of their own, beside the installed "google.protobuf".
google.__path__ = [*google.__path__, f"{stubs}/google"]
sys.path.insert(0, stubs)
