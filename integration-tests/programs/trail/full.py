"""A disk that is full: with `fail_closed` nothing is done that cannot be audited, and without it everything is."""
import json
import time
import urllib.parse
from pathlib import Path

import grpc

import rest
import specs
import stubs  # noqa: F401: it makes what is imported below.
from backend.api.v2beta1 import experiment_pb2, experiment_pb2_grpc
from harness.server import Server
from trail.events import OWN, V1, V2

# How long a server takes to see that the name of its trail is another file's.
LOOK = 1.2


class Link:
    """A trail whose name leads to a file, or to a device that is always full."""

    def __init__(self, folder: Path):
        self.name, self.kept = folder / "trail", folder / "kept.jsonl"
        self.lead(self.kept)

    def lead(self, target) -> None:
        self.name.unlink(missing_ok=True)
        self.name.symlink_to(target)
        time.sleep(LOOK)


class Belongings:
    """What Jane had while there was space."""

    def __init__(self, server: Server):
        self.server, self.jane = server, rest.Rest(server.host, server.secret("jane@example.com"))
        self.experiment = self.jane.experiment("before", "jane-doe")
        self.pipeline = self.jane.ok(
            "POST", f"{V2}/pipelines/create",
            {"pipeline": {"name": "before", "namespace": "jane-doe"}, "pipeline_version": {"pipeline_spec": specs.HELLO}
             })["pipeline_id"]
        self.run = self.jane.ok(
            "POST", f"{V2}/runs",
            {"display_name": "before", "experiment_id": self.experiment, "pipeline_spec": specs.HELLO})["run_id"]
        self.jane.ended(self.run)
        self.token = self.jane.ok("POST", f"{OWN}/tokens", {"description": "before"})["token"]["token_id"]

    def requests(self) -> list:
        """One of each kind; the last ones destroy."""
        run = {"display_name": "during", "experiment_id": self.experiment, "pipeline_spec": specs.HELLO}
        return [("GET", f"{V2}/experiments?namespace=jane-doe", None), ("GET", f"{V2}/runs/{self.run}", None),
                ("GET", f"{V1}/runs/{self.run}/nodes/hello/log", None),
                ("GET", f"{V2}/runs/{self.run}/nodes/hello/artifacts/greeting:read", None),
                ("POST", f"{V2}/experiments", {"display_name": "during", "namespace": "jane-doe"}),
                ("POST", f"{V2}/pipelines/create", {
                    "pipeline": {"name": "during", "namespace": "jane-doe"}, "pipeline_version": {"pipeline_spec": specs.HELLO}
                }), ("POST", f"{V2}/runs", run), ("POST", f"{V2}/runs/{self.run}:archive", None),
                ("POST", f"{OWN}/tokens", {"description": "during"}), ("DELETE", f"{OWN}/tokens/{self.token}", None),
                ("PATCH", f"{V2}/pipelines/{self.pipeline}", {"display_name": "during"}),
                ("DELETE", f"{V2}/pipelines/{self.pipeline}?cascade=true", None), ("DELETE", f"{V2}/runs/{self.run}", None),
                ("DELETE", f"{V2}/experiments/{self.experiment}", None)]

    def all(self) -> dict:
        """Everything that there is of Jane's."""
        found = {
            kind: self.jane.ok("GET", f"{V2}/{kind}", query={"namespace": "jane-doe", "page_size": 200})
            for kind in ("experiments", "pipelines", "runs")
        }
        return found | {"tokens": self.jane.ok("GET", f"{OWN}/tokens")}

    def over_grpc(self) -> grpc.StatusCode:
        stub = experiment_pb2_grpc.ExperimentServiceStub(grpc.insecure_channel(urllib.parse.urlsplit(self.server.host).netloc))
        try:
            stub.GetExperiment(experiment_pb2.GetExperimentRequest(experiment_id=self.experiment),
                               metadata=[("authorization", f"Bearer {self.jane.token}")], timeout=30)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def failures(self) -> int:
        text = rest.Rest(self.server.admin).call("GET", "/metrics").text()
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith("bulkhead_audit_failures_total ")))


def refuses(server: Server, fill, free) -> list:
    """What a server that fails closed does wrong when there is no space, and when there is again."""
    jane = Belongings(server)
    before = jane.all()
    fill(jane)
    lines = []
    for method, path, body in jane.requests():
        answer = jane.jane.call(method, path, body)
        if answer.status != 503 or answer.json()["code"] != 14:
            lines.append(f"on a full disk {method} {path.split('?')[0]} was answered with {answer.status} {answer.text()[:200]}")
    upload = jane.jane.upload(f"{V2}/pipelines/upload",
                              json.dumps(specs.HELLO).encode(), query={"name": "during", "namespace": "jane-doe"})
    lines += [f"on a full disk an upload was answered with {upload}"] if upload.status != 503 else []
    lines += [f"on a full disk gRPC said {code}"] if (code := jane.over_grpc()) != grpc.StatusCode.UNAVAILABLE else []
    nobody = rest.Rest(server.host)
    lines += [f"nobody heard {status} on a full disk"] if (status := nobody.call(
        "GET", f"{V2}/runs/{jane.run}").status) != 401 else []
    lines += [f"healthz was {status} on a full disk"] if (status := nobody.call("GET", f"{V2}/healthz").status) != 200 else []
    lines += ["no metric counts the failures"] if not jane.failures() else []
    free()
    after = jane.all()
    lines += [
        f"{kind} changed on a full disk: {before[kind]} became {after[kind]}" for kind in before if before[kind] != after[kind]
    ]
    for method, path, body in jane.requests():
        answer = jane.jane.call(method, path, body)
        # What was done on the full disk all the same was told above.
        if answer.status != 200 and "/tokens" not in path:
            lines.append(f"with space again {method} {path} was answered with {answer.status} {answer.text()[:200]}")
    return lines


def link(folder: Path) -> str:
    """By a name that leads to a full device for a while."""
    trail = Link(folder)
    server = started(folder, str(trail.name), True)
    try:
        lines = refuses(server, lambda _: trail.lead("/dev/full"), lambda: trail.lead(trail.kept))
        server.stop()
    finally:
        server.kill()
    assert not lines, "\n".join(lines)
    return "a full device"


def small_disk(folder: Path) -> str:
    """By a disk of 64 KiB, which fills up with the trail itself and with a file beside it."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ("unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size=64k none "{disk}" && exec "$@"', "sh")
    server = started(folder, str(disk / "trail.jsonl"), True, mount)
    # As the server's process sees it.
    seen = Path(f"/proc/{server.process.pid}/root") / disk.relative_to("/")
    filler = seen / "filler"

    def fill(jane: Belongings) -> None:
        filler.write_bytes(b"x" * (32 << 10))
        for _ in range(2000):
            if jane.jane.call("GET", f"{V2}/experiments/{jane.experiment}").status == 503:
                return
        raise AssertionError("the disk of 64 KiB does not fill up")

    try:
        lines = refuses(server, fill, filler.unlink)
        texts = (seen / "trail.jsonl").read_text().splitlines()
        server.stop()
    finally:
        server.kill()
    # The last line before the disk was full may be torn; those after it begin anew.
    torn = [line for line in texts if line and not is_json(line)]
    lines += [f"the trail has {len(torn)} torn lines: {torn[:3]}"] if len(torn) > 1 else []
    assert not lines, "\n".join(lines)
    return f"a disk of 64 KiB ({len(texts)} lines)"


def goes_on(folder: Path) -> str:
    """Without `fail_closed` nobody is refused."""
    trail = Link(folder)
    server = started(folder, str(trail.name), False)
    try:
        jane = Belongings(server)
        trail.lead("/dev/full")
        lines = [
            f"{method} {path}: {answer}" for method, path, body in jane.requests()
            if (answer := jane.jane.call(method, path, body)).status != 200
        ]
        lines += ["no metric counts the failures"] if not jane.failures() else []
        server.stop()
    finally:
        server.kill()
    assert not lines, "\n".join(lines)
    return "and on it without fail_closed"


def started(folder: Path, file: str, fail_closed: bool, wrap: tuple = ()) -> Server:
    return Server(folder / "server", config={"audit": {"sink": "file", "file": file, "fail_closed": fail_closed}},
                  wrap=wrap).start()


def is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
