"""A run and its logs, watched by cursor, over connections that break and a server that is killed.

It proves: a client that reconnects at any message sees every state change, and every byte that tasks print, exactly once
and in order, as one that never reconnected; the same over a `kill -9` of the server; `bulkhead runs watch` and `bulkhead
logs -f` live through it too, and tell the end; another tenant hears that there is no such run; and who loses the right
while watching sees no more.
"""
import base64
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import rest
from harness.server import BINARY, Server

LINES = 60
SPEC = {
    "pipelineInfo": {"name": "murmur"}, "schemaVersion": "2.1.0",
    "deploymentSpec": {"executors": {"exec": {"container": {"image": "alpine", "command": ["sh", "-ec"], "args": [
        f"for i in $(seq {LINES}); do echo {{{{$.inputs.parameters['item']}}}} $i; sleep 0.02; done"]}}}},
    "components": {
        "comp-say": {"executorLabel": "exec", "inputDefinitions": {"parameters": {"item": {"parameterType": "STRING"}}}},
        "comp-loop": {"inputDefinitions": {"parameters": {"item": {"parameterType": "STRING"}}},
                      "dag": {"tasks": {"say": {"componentRef": {"name": "comp-say"}, "taskInfo": {"name": "say"},
                                                "retryPolicy": {"maxRetryCount": 2},
                                                "inputs": {"parameters": {"item": {"componentInputParameter": "item"}}}}}}}},
    "root": {"dag": {"tasks": {"for-loop-1": {
        "componentRef": {"name": "comp-loop"}, "taskInfo": {"name": "for-loop-1"},
        "parameterIterator": {"itemInput": "item", "items": {"raw": json.dumps(["a", "b", "c"])}},
        "iteratorPolicy": {"parallelismLimit": 2}}}}},
}


class Watcher(threading.Thread):
    """Watches a run, or follows its logs, and hangs up after a number of messages each time, if it is to."""

    def __init__(self, host, who, run, what, patience=None):
        super().__init__(daemon=True)
        self.host, self.who, self.run_id, self.what, self.patience = host, who, run, what, patience
        self.messages, self.connections, self.refused = [], 0, None
        self.start()

    def run(self):
        cursor = ""
        while True:
            try:
                if self.connect(cursor):
                    return
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.1)
            cursor = self.messages[-1]["cursor"] if self.messages else cursor

    def connect(self, cursor) -> bool:
        """Whether it has come to the end."""
        connection = http.client.HTTPConnection(self.host().removeprefix("http://"), timeout=60)
        self.connections += 1
        connection.request("GET", f"/apis/bulkhead/v1/runs/{self.run_id}:{self.what}?cursor={cursor}",
                           headers={"Authorization": f"Bearer {self.who.token}"})
        answer = connection.getresponse()
        if answer.status != 200:
            self.refused = answer.status
            return answer.status != 503
        left = random.randint(1, self.patience) if self.patience else None
        for line in lines(answer):
            message = json.loads(line)
            if "error" in message:
                self.refused = message["error"]["code"]
                # Stopping, and what breaks off, are for beginning anew.
                return self.refused not in (10, 13, 14)
            self.messages.append(message["result"])
            if left is not None and (left := left - 1) == 0:
                connection.close()
                return False
        if self.what == "watch":
            return bool(self.messages) and self.messages[-1]["run"]["state"] in rest.ENDED
        return True

    def changes(self) -> dict:
        """The states of each task, as they were told."""
        seen = {}
        for message in self.messages:
            for task in message.get("tasks", []):
                seen.setdefault(task["path"], []).extend(change["state"] for change in task.get("changes", []))
        return seen

    def text(self) -> dict:
        """What each attempt of each task has printed, as it was told."""
        seen = {}
        for message in self.messages:
            key = (message["path"], message.get("attempt", 0))
            seen[key] = seen.get(key, b"") + base64.b64decode(message["data"])
        return seen


def lines(answer):
    """The lines of a body. `readline` takes one that breaks off for one that ends; this does not."""
    rest_ = b""
    while more := answer.read1(65536):
        *whole, rest_ = (rest_ + more).split(b"\n")
        yield from whole


def until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)


def token(server, user) -> str:
    command = [BINARY, "token", "create", "--user", user, "--expires", "1d", "--data-dir", server.data]
    made = subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True)
    return made.stdout.strip().splitlines()[-1]


def command(server, jane, *words):
    env = {**os.environ, "BULKHEAD_TOKEN": jane.token}
    env.pop("KF_PIPELINES_SA_TOKEN_PATH", None)
    words = [str(BINARY), *words, "--server", server.host]
    return subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def start(server, jane, name):
    experiment = jane.ok("POST", "/apis/v2beta1/experiments", {"display_name": name, "namespace": "jane-doe"})["experiment_id"]
    body = {"display_name": name, "experiment_id": experiment, "pipeline_spec": SPEC}
    return jane.ok("POST", "/apis/v2beta1/runs", body)["run_id"]


def all_alike(watchers, followers):
    calm, told = watchers[0].changes(), followers[0].text()
    for watcher in watchers[1:]:
        assert watcher.changes() == calm, (watcher.changes(), calm)
    for follower in followers[1:]:
        assert follower.text() == told, (follower.text(), told)
    return calm, told


def calm(server, jane, john):
    """Nothing happens but clients that hang up."""
    run, host = start(server, jane, "calm"), lambda: server.host
    watchers = [Watcher(host, jane, run, "watch"), *(Watcher(host, jane, run, "watch", 3) for _ in range(4))]
    followers = [Watcher(host, jane, run, "followLogs"), *(Watcher(host, jane, run, "followLogs", 4) for _ in range(4))]
    stranger = Watcher(host, john, run, "watch")
    watch, logs = command(server, jane, "runs", "watch", run), command(server, jane, "logs", run, "-f")
    for thread in (*watchers, *followers, stranger):
        thread.join(120)
        assert not thread.is_alive(), (thread.what, thread.messages[-1:])
    assert stranger.refused == 404, stranger.refused
    changes, told = all_alike(watchers, followers)
    assert changes["for-loop-1[1]/say"] == ["PENDING", "RUNNING", "SUCCEEDED"], changes
    assert told == {(f"for-loop-1[{at}]/say", 0): "".join(f"{word} {line + 1}\n" for line in range(LINES)).encode()
                    for at, word in enumerate("abc")}, told
    shown = watch.communicate(timeout=60)[1]
    assert watch.returncode == 0 and "SUCCEEDED for-loop-1[2]/say" in shown, (watch.returncode, shown)
    printed = logs.communicate(timeout=60)[0]
    assert logs.returncode == 0 and printed.count("\n") >= 3 * LINES and f"c {LINES}\n" in printed, printed
    return sum(thread.connections for thread in (*watchers, *followers))


def killed(server, jane):
    """The server is killed while tasks run; they are tried again."""
    run, host = start(server, jane, "killed"), lambda: server.host
    watchers = [Watcher(host, jane, run, "watch", 2) for _ in range(4)]
    followers = [Watcher(host, jane, run, "followLogs", 3) for _ in range(4)]
    until(lambda: any(len(follower.messages) > 3 for follower in followers), "something is printed")
    server.kill()
    server.start()
    for thread in (*watchers, *followers):
        thread.join(120)
        assert not thread.is_alive(), (thread.what, thread.messages[-1:])
    changes, told = all_alike(watchers, followers)
    assert changes["for-loop-1"][-1] == "SUCCEEDED", changes
    assert max(attempt for _, attempt in told) == 1, "what was running was tried again"
    assert all(text.count(b"\n") == LINES for (path, attempt), text in told.items() if (path, attempt + 1) not in told), told
    return len(changes)


def withdrawn(server, jane, guest):
    """Somebody who may watch for a while."""
    binding = server.profiles / "guest.yaml"
    binding.write_text(json.dumps({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "guest", "namespace": "jane-doe"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "kubeflow-view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "guest@example.com"}]}))
    until(lambda: guest.call("GET", "/apis/v2beta1/runs?namespace=jane-doe").status == 200, "the guest may look")
    run = start(server, jane, "withdrawn")
    watchers = [Watcher(lambda: server.host, guest, run, what) for what in ("watch", "followLogs")]
    until(lambda: all(watcher.messages for watcher in watchers), "the guest sees something")
    binding.unlink()
    for watcher in watchers:
        watcher.join(30)
        assert not watcher.is_alive() and watcher.refused in (5, 7, 404), (watcher.what, watcher.refused)


def main():
    with tempfile.TemporaryDirectory(prefix="bulkhead-watch-", dir=os.environ.get("SCRATCH")) as folder:
        server = Server(Path(folder) / "server", config={"executor": {"max_tasks": 8}}).start()
        try:
            jane, john, guest = (rest.Rest(server.host, token(server, f"{name}@example.com")) for name in ("jane", "john", "guest"))
            connections = calm(server, jane, john)
            withdrawn(server, jane, guest)
            tasks = killed(server, jane)
        finally:
            server.kill()
    print(f"{connections} connections saw the same, byte for byte; {tasks} tasks were seen through a kill of the server")


if __name__ == "__main__":
    main()
