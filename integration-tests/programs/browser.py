"""A page in a real browser, which speaks gRPC-Web and REST to a server of another origin.

It proves that the configuration in docs/clients/typescript.md lets a page of a listed origin in: it reads, writes, and
sees the codes and texts of refusals. A page of an origin that is not listed gets nothing.
"""
import functools
import http.server
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import urllib.parse
from pathlib import Path

from harness import pages
from harness.server import Server

# A browser resolves no names of packages by itself.
IMPORTS = {
    "@connectrpc/connect": "/node_modules/@connectrpc/connect/dist/esm/index.js",
    "@connectrpc/connect/protocol": "/node_modules/@connectrpc/connect/dist/esm/protocol/index.js",
    "@connectrpc/connect/protocol-connect": "/node_modules/@connectrpc/connect/dist/esm/protocol-connect/index.js",
    "@connectrpc/connect/protocol-grpc-web": "/node_modules/@connectrpc/connect/dist/esm/protocol-grpc-web/index.js",
    "@connectrpc/connect-web": "/node_modules/@connectrpc/connect-web/dist/esm/index.js",
    "@bufbuild/protobuf": "/node_modules/@bufbuild/protobuf/dist/esm/index.js",
    "@bufbuild/protobuf/codegenv2": "/node_modules/@bufbuild/protobuf/dist/esm/codegenv2/index.js",
    "@bufbuild/protobuf/reflect": "/node_modules/@bufbuild/protobuf/dist/esm/reflect/index.js",
    "@bufbuild/protobuf/wire": "/node_modules/@bufbuild/protobuf/dist/esm/wire/index.js",
    "@bufbuild/protobuf/wkt": "/node_modules/@bufbuild/protobuf/dist/esm/wkt/index.js",
}
PAGE = f"""<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>
<script type="importmap">{json.dumps({"imports": IMPORTS})}</script><script type="module" src="/dist/browser.js"></script>"""


class Site(http.server.SimpleHTTPRequestHandler):
    """An origin of its own, with the built client and a page that tells it what became of it."""

    told = queue.Queue()

    def do_GET(self):
        if not self.path.startswith("/?"):
            return super().do_GET()
        self.answer(PAGE)

    def do_POST(self):
        self.told.put(self.rfile.read(int(self.headers["content-length"])).decode())
        self.answer("")

    def answer(self, text):
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def site():
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=os.environ["BUILT"]))
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{serving.server_port}"


def told(origin, **query):
    """What the page of an origin tells."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # With a port for a debugger it stays until it is told to go.
        browser = subprocess.Popen(
            [os.environ["BROWSER"], "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
             f"--user-data-dir={profile}", f"{origin}/?{urllib.parse.urlencode(query)}"],
            stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            return Site.told.get(timeout=120)
        finally:
            # What was started may be a script around the browser, and the browser is many processes.
            os.killpg(browser.pid, signal.SIGKILL)
            browser.wait(30)


listed, unlisted = site(), site()
asked, = (block for block in pages.blocks("typescript.md", "yaml") if block.startswith("cors:"))
assert "[https://ml.example.com]" in asked, asked
server = Server(Path(os.environ["SCRATCH"]) / "cross")
server.config.write_text(asked.replace("[https://ml.example.com]", f'["{listed}"]'))
try:
    server.start()
    query = {
        "host": server.host, "namespace": os.environ["KFP_NAMESPACE"], "other": os.environ["OTHER_NAMESPACE"],
        "token": server.token("jane@example.com").read_text().strip(),
    }
    said = told(listed, **query)
    assert said.startswith("{"), said
    verdict = json.loads(said)
    assert verdict["found"] and verdict["rest"] == [200, True], verdict
    assert verdict["absent"].startswith("NotFound: Run ") and verdict["foreign"].startswith("PermissionDenied: "), verdict
    assert verdict["nobody"].startswith("Unauthenticated: "), verdict
    other = told(unlisted, **query)
    assert "Failed to fetch" in other, other
    server.stop()
finally:
    server.kill()
print("a page reads, writes and is refused; another origin gets nothing")
