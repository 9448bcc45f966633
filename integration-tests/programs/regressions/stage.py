"""A server, everybody who calls it, and what Jane and John have there."""
import http.server
import json
import threading
import urllib.parse
import uuid
from pathlib import Path

import grpc

import rest
import stubs  # noqa: F401: it makes what is imported below.
from backend.api.v1beta1 import experiment_pb2, job_pb2, pipeline_pb2, report_pb2, run_pb2, task_pb2, visualization_pb2  # noqa: F401
from backend.api.v2beta1 import experiment_pb2 as e2, healthz_pb2, pipeline_pb2 as p2, recurring_run_pb2, report_pb2 as r2  # noqa: F401
from backend.api.v2beta1 import run_pb2 as n2, visualization_pb2 as v2  # noqa: F401
from bulkhead.v1 import access_pb2, files_pb2, upload_pb2  # noqa: F401
from google.protobuf import descriptor_pool, json_format, message_factory
from harness.server import Server
import specs

V1, V2, OWN = "/apis/v1beta1", "/apis/v2beta1", "/apis/bulkhead/v1"
API1, API2 = "api", "kubeflow.pipelines.backend.api.v2beta1"
PEOPLE = ("jane", "john", "viewer", "publisher", "reporter", "stranger")
# Who has no login, and who only claims to have one.
UNKNOWN = ("nobody", "wrong")
# What no error may have in it, unless the request had.
INSIDE = ("diesel", "sqlite", "SQLite", ".rs:", "panicked", "backtrace", "SELECT ", "tokio", "/root/", "bulkhead.db")
JANES, JOHNS = "jane-doe", "john-roe"


class Listener(http.server.BaseHTTPRequestHandler):
    """Something inside that only the server could reach, and must not."""
    heard: list = []
    # Where it sends who asks for a path.
    redirects: dict = {}
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.heard.append(f"{self.server.server_address[0]}{self.path}")
        if target := self.redirects.get(self.path):
            self.send_response(302)
            self.send_header("Location", target)
            self.end_headers()
            return
        body = json.dumps(specs.HELLO).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_HEAD = do_CONNECT = do_GET

    def log_message(self, *_):
        pass


class Stage:
    def __init__(self, folder: Path):
        self.trail = folder / "audit.jsonl"
        # One address may be fetched from; its neighbour is what nobody may reach.
        self.server = Server(folder / "server", config={
            "audit": {"sink": "file", "file": str(self.trail)},
            "pipelines": {"url": {"enabled": True, "allow_http": True, "allowed_cidrs": ["127.0.0.1/32"], "timeout": 5}}}).start()
        self.tokens = {who: self.server.token(f"{who}@example.com").read_text().strip() for who in PEOPLE}
        self.tokens["wrong"] = self.tokens["jane"][:-1] + ("A" if self.tokens["jane"][-1] != "A" else "B")
        self.channel = grpc.insecure_channel(urllib.parse.urlsplit(self.server.host).netloc)
        self.inside = [listening("127.0.0.1"), listening("127.0.0.2")]
        self.told: list = []
        self.absent = str(uuid.uuid4())
        self.ours = self.belongings("jane", JANES)
        self.theirs = self.belongings("john", JOHNS)
        self.shared = self.ok("publisher", "POST", f"{V2}/pipelines/create", {
            "pipeline": {"name": "shared"}, "pipeline_version": {"pipeline_spec": specs.HELLO}})["pipeline_id"]

    def belongings(self, who: str, namespace: str) -> dict:
        body = {"display_name": "theirs", "namespace": namespace}
        made = {"experiment": self.ok(who, "POST", f"{V2}/experiments", body)["experiment_id"]}
        body = {"pipeline": {"name": "theirs", "namespace": namespace}, "pipeline_version": {"pipeline_spec": specs.HELLO}}
        made["pipeline"] = self.ok(who, "POST", f"{V2}/pipelines/create", body)["pipeline_id"]
        versions = self.ok(who, "GET", f"{V2}/pipelines/{made['pipeline']}/versions")["pipeline_versions"]
        made["version"] = versions[0]["pipeline_version_id"]
        made["run"] = self.run(who, made["experiment"], {"pipeline_version_reference": {"pipeline_id": made["pipeline"]}})
        made["recurring"] = self.ok(who, "POST", f"{V2}/recurringruns", {
            "display_name": "theirs", "experiment_id": made["experiment"], "max_concurrency": "1", "mode": "DISABLE",
            "pipeline_version_reference": {"pipeline_id": made["pipeline"]},
            "trigger": {"cron_schedule": {"cron": "0 0 0 1 1 *"}}})["recurring_run_id"]
        done = self.caller(who).ended(made["run"])
        assert done["state"] == "SUCCEEDED", done
        made["task"] = done["run_details"]["task_details"][0]["task_id"]
        return made

    def caller(self, who: str, token: str | None = None) -> rest.Rest:
        return rest.Rest(self.server.host, token or self.tokens.get(who))

    def call(self, who: str, method: str, path: str, body=None, query=None, headers=None) -> rest.Answer:
        answer = self.caller(who).call(method, path, body, query, headers)
        if answer.status >= 400:
            asked = f"{path} {query} {body if isinstance(body, (str, dict)) else ''}"
            self.told += [
                f"{method} {path}: {answer.text()[:300]}" for word in INSIDE if word in answer.text() and word not in asked
            ]
        return answer

    def upload(self, who: str, path: str, content, query=None, filename="pipeline.yaml") -> rest.Answer:
        return self.caller(who).upload(path, content if isinstance(content, bytes) else json.dumps(content).encode(), filename,
                                       query=query)

    def ok(self, who: str, method: str, path: str, body=None, query=None):
        return self.caller(who).ok(method, path, body, query)

    def run(self, who: str, experiment: str, definition: dict, name: str = "theirs") -> str:
        return self.ok(who, "POST", f"{V2}/runs", {"display_name": name, "experiment_id": experiment, **definition})["run_id"]

    def refused(self, answers: dict, method: str, path: str, body=None, query=None, headers=None) -> None:
        """Who hears which status."""
        for who, status in answers.items():
            answer = self.call(who, method, path, body, query, headers)
            expected = status if isinstance(status, tuple) else (status,)
            assert answer.status in expected, f"{who}: {method} {path} {query or ''} {str(body)[:300]}: {answer.status} {answer.text()[:500]}"

    def rpc(self, who: str, service: str, method: str, request=None, metadata=()):
        """The name of the status, and the answers of a call over gRPC, or the text of the refusal."""
        declared = descriptor_pool.Default().FindServiceByName(service).FindMethodByName(method)
        takes, gives = (message_factory.GetMessageClass(kind) for kind in (declared.input_type, declared.output_type))
        make = self.channel.unary_stream if declared.server_streaming else self.channel.unary_unary
        call = make(f"/{service}/{method}", takes.SerializeToString, gives.FromString)
        token = [("authorization", f"Bearer {self.tokens[who]}")] if who in self.tokens else []
        try:
            answer = call(json_format.ParseDict(request or {}, takes()), metadata=[*token, *metadata], timeout=60)
            return "OK", list(answer) if declared.server_streaming else answer
        except grpc.RpcError as error:
            return error.code().name, error.details()

    def rpc_refused(self, answers: dict, service: str, method: str, request=None, metadata=()) -> None:
        for who, code in answers.items():
            said = self.rpc(who, service, method, request, metadata)
            assert said[0] in (code if isinstance(code, tuple) else (code,)), f"{who}: {service}/{method} {request}: {said}"

    def port(self, which: int) -> int:
        return self.inside[which].server_port

    def alive(self) -> None:
        """The same process as in the beginning still answers."""
        assert self.server.process.poll() is None, f"the server ended with {self.server.process.poll()}"
        self.ok("john", "GET", f"{V2}/experiments", query={"namespace": JOHNS})

    def memory(self) -> int:
        """What the server has in memory, in bytes."""
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) << 10

    def logged(self) -> str:
        return self.server.log.read_text(errors="replace")


def listening(address: str) -> http.server.HTTPServer:
    server = http.server.ThreadingHTTPServer((address, 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
