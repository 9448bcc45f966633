"""The client in Go that docs/clients/go.md makes, with grpc-go.

It proves that the program of the page does the main job over gRPC, and that another tenant, or nobody, is refused
with the code that the page names.
"""
import os

import languages

built = os.environ["BUILT"]
address = os.environ["KFP_HOST"].removeprefix("http://")
said = languages.run(["./submit", address, *languages.submission()], built)
languages.run(["./kept", "-test.timeout=300s"], built)
print(languages.succeeded(said))
