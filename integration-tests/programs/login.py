"""People behind a proxy that logs them in, as docs/clients/login.md sets it up.

The proxy here does what matters of oauth2-proxy: it knows the cookie, passes it on, and names the user in a header, in
the place of what a client puts there. It proves that the page's configuration starts a server, that the SDK works with a
cookie alone, given or remembered, that who has no session is nobody, and that nobody can name themselves.
"""
import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

import rest
from harness import pages
from harness.server import Server

SESSIONS = {"_oauth2_proxy=session-of-jane": "jane@example.com", "_oauth2_proxy=session-of-john": "john@example.com"}


class Proxy(http.server.BaseHTTPRequestHandler):
    upstream = None

    def log_message(self, *_):
        pass

    def pass_on(self):
        user = SESSIONS.get(self.headers.get("cookie"))
        if user is None:
            self.send_response(401)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            return
        kept = {name: value for name, value in self.headers.items() if not name.lower().startswith("x-forwarded-")}
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        connection.request(self.command, self.path, body, kept | {"x-forwarded-email": user, "x-forwarded-groups": "crew"})
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_GET = do_POST = do_DELETE = pass_on


def run(command, code, **variables):
    code = code.replace("https://kfp.example.com", proxied)
    done = subprocess.run(
        [*command, code], env=os.environ | variables, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{code}\n{done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


# What the page says, but for this machine: the proxy is on loopback, so tasks have no network.
asked, = pages.blocks("login.md", "yaml")
assert "[10.20.30.40/32]" in asked and "listen: [0.0.0.0:8888]\n" in asked, asked
asked = asked.replace("[10.20.30.40/32]", "[127.0.0.1/32]").replace("listen: [0.0.0.0:8888]\n", "")
server = Server(Path(os.environ["SCRATCH"]) / "behind")
server.config.write_text(f"{asked}executor:\n  network: false\n")
try:
    server.start()
    Proxy.upstream = urllib.parse.urlsplit(server.host).netloc
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    proxied = f"http://127.0.0.1:{proxy.server_port}"

    given, remembered = pages.blocks("login.md", "python")
    assert "behind-a-proxy\n" in run([sys.executable, "-W", "ignore", "-c"], given, SESSION="session-of-jane")
    context, = pages.blocks("login.md", "json")
    file = Path(os.environ["HOME"]) / ".config" / "kfp" / "context.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(context.replace("_oauth2_proxy=...", "_oauth2_proxy=session-of-jane"))
    assert run([sys.executable, "-W", "ignore", "-c"], remembered) == "behind-a-proxy\n"
    shown, = pages.blocks("login.md", "sh")
    found = json.loads(run(["bash", "-ec"], shown, SESSION="session-of-jane"))
    assert [e["created_by"] for e in found["experiments"]] == ["jane@example.com"], found

    experiments = f"/apis/v2beta1/experiments?namespace={os.environ['KFP_NAMESPACE']}"
    jane, john = ({"cookie": cookie} for cookie in SESSIONS)
    claim = {"x-forwarded-email": "jane@example.com"}
    token = {"authorization": f"Bearer {server.token('jane@example.com').read_text().strip()}"}
    front, back = rest.Rest(proxied), rest.Rest(server.host)
    for who, whom, headers, status in (
        ("jane", front, jane, 200),
        ("john", front, john, 403),
        ("john who says that he is jane", front, john | claim, 403),
        ("nobody", front, {}, 401),
        ("nobody who says that they are jane", front, claim, 401),
        ("a token beside its own user", front, jane | token, 200),
        ("a token beside another user", front, john | token, 401),
        ("a token", back, token, 200),
        ("another header than the configured one", back, {"kubeflow-userid": "jane@example.com"}, 401),
        ("groups without a user", back, {"x-forwarded-groups": "crew"}, 401),
        ("a cookie and no proxy", back, jane, 401),
    ):
        answer = whom.call("GET", experiments, headers=headers)
        assert answer.status == status, f"{who}: {answer.status} {answer.text()}"
    server.stop()
finally:
    server.kill()
print("two ways to give a cookie, and 11 callers")
