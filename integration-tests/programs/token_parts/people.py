"""Jane and others, and the tokens that they make."""
import datetime
import http.client
import time

import rest
import specs
from harness.server import Server

V1, V2, OWN = "/apis/v1beta1", "/apis/v2beta1", "/apis/bulkhead/v1"
TOKENS = f"{OWN}/tokens"
# Something to follow for longer than anybody here waits.
MURMUR = specs.spec("murmur", 'for i in $(seq 3000); do echo "$0 $i"; sleep 0.1; done')


class People:
    def __init__(self, server: Server):
        self.server, self.secrets = server, []
        self.jane, self.john, self.viewer = (self.caller(server.secret(f"{who}@example.com")) for who in ("jane", "john", "viewer"))
        self.experiment = self.jane.experiment("tokens", "jane-doe")

    def caller(self, secret: str) -> rest.Rest:
        """Somebody with a token, which is kept, to be sought where it must not be."""
        self.secrets.append(secret)
        return rest.Rest(self.server.host, secret)

    def made(self, by: rest.Rest, **body) -> tuple:
        """Somebody with a new token that `by` makes, and what is told of it."""
        answer = by.call("POST", TOKENS, body)
        assert answer.status == 200, (body, answer)
        return self.caller(answer.json()["secret"]), answer.json()["token"]

    def run(self, spec: dict, name: str) -> str:
        return self.jane.ok("POST", f"{V2}/runs",
                            {"display_name": name, "experiment_id": self.experiment, "pipeline_spec": spec})["run_id"]


def at(seconds: float) -> str:
    """A moment from now on, as JSON has it."""
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class Follower:
    """An answer that is read while it is still coming."""

    def __init__(self, who: rest.Rest, path: str):
        self.connection = http.client.HTTPConnection(who.address, timeout=30)
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {who.token}"})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, (self.answer.status, self.answer.read())
        self.read = 0

    def more(self) -> None:
        data = self.answer.read1(65536)
        assert data, "the answer ended as if it were whole"
        self.read += len(data)

    def cut(self, seconds: float) -> float:
        """Reads until the answer is cut off, and gives how long that took."""
        began = time.monotonic()
        try:
            while time.monotonic() - began < seconds + 5:
                self.more()
        except (http.client.IncompleteRead, ConnectionError):
            return time.monotonic() - began
        raise AssertionError(f"the answer was not cut off within {seconds + 5} s")
