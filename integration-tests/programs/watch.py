"""A run and its logs, watched by cursor, over connections that break and a server that is killed.

It proves: a client that reconnects at any message sees every state change, and every byte that tasks print, exactly once
and in order, as one that never reconnected; the same over a `kill -9` of the server; `bulkhead runs watch` and `bulkhead
logs -f` live through it too, and tell the end; another tenant hears that there is no such run; who loses the right
while watching sees no more; a gRPC client with its limit of 4 MiB sees all of a run of 1,200 iterations, over connections
that break between parts of one step too; and a failed run that is retried is followed without hearing anything again.
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

import stubs  # noqa: F401 makes what follows
import grpc
import rest
from bulkhead.v1 import runs_pb2, runs_pb2_grpc
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

    def __init__(self, host, who, run, what, patience=None, before=()):
        super().__init__(daemon=True)
        self.host, self.who, self.run_id, self.what, self.patience = host, who, run, what, patience
        # It goes on after these.
        self.messages, self.connections, self.refused = list(before), 0, None
        self.start()

    def run(self):
        cursor = self.messages[-1]["cursor"] if self.messages else ""
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
                return self.messages[-1].get("ended", False)
        if self.what == "watch":
            return bool(self.messages) and self.messages[-1].get("ended", False)
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


def start(server, jane, name, spec=None):
    experiment = jane.ok("POST", "/apis/v2beta1/experiments", {"display_name": name, "namespace": "jane-doe"})["experiment_id"]
    body = {"display_name": name, "experiment_id": experiment, "pipeline_spec": spec or SPEC}
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


ITERATIONS = 1_200
LIMIT = 4 << 20


def large() -> dict:
    """Many iterations that are told at once, of a task whose inputs take room: a message of all of them would be too long."""
    spec = json.loads(json.dumps(SPEC))
    spec["pipelineInfo"]["name"] = "crowd"
    spec["deploymentSpec"]["executors"]["exec"] = {"importer": {
        "artifactUri": {"constant": "https://example.com/nothing"}, "typeSchema": {"schemaTitle": "system.Dataset"}}}
    spec["components"]["comp-say"]["outputDefinitions"] = {"artifacts": {
        "artifact": {"artifactType": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"}}}}
    spec["components"]["comp-loop"]["dag"]["tasks"]["say"].pop("retryPolicy")
    loop = spec["root"]["dag"]["tasks"]["for-loop-1"]
    loop["parameterIterator"]["items"]["raw"] = json.dumps([f"{at} {'x' * 2000}" for at in range(ITERATIONS)])
    loop["iteratorPolicy"]["parallelismLimit"] = ITERATIONS
    return spec


class GrpcWatcher(threading.Thread):
    """Watches over gRPC as its clients are by themselves, and hangs up after each few messages."""

    def __init__(self, server, who, run, patience):
        super().__init__(daemon=True)
        self.server, self.who, self.run_id, self.patience = server, who, run, patience
        self.states, self.run_states, self.sizes, self.cursor, self.ended, self.error = {}, [], [], "", False, None
        self.between = 0
        self.start()

    def run(self):
        try:
            while not self.ended:
                with grpc.insecure_channel(self.server.host.removeprefix("http://")) as channel:
                    self.watch(runs_pb2_grpc.RunServiceStub(channel))
        except Exception as error:  # Shown by whoever waits for this.
            self.error = error

    def watch(self, stub):
        request = runs_pb2.WatchRunRequest(run_id=self.run_id, cursor=self.cursor)
        call = stub.WatchRun(request, metadata=[("authorization", f"Bearer {self.who.token}")])
        left = random.randint(1, self.patience) if self.patience else None
        for message in call:
            assert not self.ended, "nothing comes after the last message"
            self.sizes.append((message.ByteSize(), len(message.tasks)))
            for task in message.tasks:
                self.states.setdefault(task.path, []).extend((change.state, change.attempt) for change in task.changes)
            self.run_states += [change.state for change in message.run.changes]
            self.cursor, self.ended = message.cursor, message.ended
            if left is not None and (left := left - 1) == 0:
                self.between += "\"p\"" in base64.urlsafe_b64decode(self.cursor + "==").decode()
                call.cancel()
                return


def crowded(server, jane):
    """A run that is larger than a message."""
    run = start(server, jane, "crowded", large())
    watchers = [GrpcWatcher(server, jane, run, patience) for patience in (None, 1, 1, 3)]
    for watcher in watchers:
        watcher.join(300)
        assert not watcher.is_alive() and watcher.error is None, (watcher.error, watcher.sizes[-3:])
    # And one that comes when all is over.
    watchers.append(GrpcWatcher(server, jane, run, 1))
    watchers[-1].join(60)
    calm = watchers[0]
    assert len(calm.states) == 1 + 2 * ITERATIONS, len(calm.states)
    for watcher in watchers:
        assert watcher.error is None and watcher.ended, watcher.error
        assert watcher.states == calm.states and watcher.run_states == ["PENDING", "RUNNING", "SUCCEEDED"], watcher.run_states
        assert all(size < LIMIT // 2 and tasks <= 500 for size, tasks in watcher.sizes), max(watcher.sizes)
    for path, states in calm.states.items():
        assert len(states) == len(set(states)) and states[-1] == ("SUCCEEDED", 0), (path, states)
    assert watchers[-1].between > 3, "connections break between parts"
    assert sum(size for size, _ in watchers[-1].sizes) > LIMIT, "one message would be too long"
    return len(watchers[-1].sizes)


def retried(server, jane):
    """A run whose task fails, and is retried: who follows it goes on, and who comes back with a cursor hears only what is new."""
    spec = json.loads(json.dumps(SPEC))
    moment = time.time() + 4
    spec["deploymentSpec"]["executors"]["exec"]["container"]["args"] = [
        "echo {{$.inputs.parameters['item']}} began at $(date +%s%N); "
        f"if [ {{{{$.inputs.parameters['item']}}}} = b ]; then test $(date +%s) -ge {int(moment)}; fi"]
    spec["components"]["comp-loop"]["dag"]["tasks"]["say"].pop("retryPolicy")
    run, host = start(server, jane, "retried", spec), lambda: server.host
    assert jane.ended(run, 60)["state"] == "FAILED"
    before = [Watcher(host, jane, run, "followLogs"), Watcher(host, jane, run, "followLogs", 1),
              Watcher(host, jane, run, "watch"), Watcher(host, jane, run, "watch", 1)]
    for watcher in before:
        watcher.join(60)
        assert not watcher.is_alive(), watcher.what
    time.sleep(max(0, moment + 1 - time.time()))
    jane.ok("POST", f"/apis/v2beta1/runs/{run}:retry")
    after = [Watcher(host, jane, run, watcher.what, watcher.patience, watcher.messages) for watcher in before]
    assert jane.ended(run, 60)["state"] == "SUCCEEDED"
    late = [Watcher(host, jane, run, what) for what in ("followLogs", "watch")]
    for watcher in (*after, *late):
        watcher.join(60)
        assert not watcher.is_alive(), (watcher.what, watcher.messages[-1:])
    changes, told = all_alike([late[1], after[2], after[3]], [late[0], after[0], after[1]])
    assert all(text.count(b"\n") == 1 for text in told.values()), told
    assert sorted(told) == [("for-loop-1[0]/say", 0), ("for-loop-1[1]/say", 0), ("for-loop-1[1]/say", 1), ("for-loop-1[2]/say", 0)], told
    assert changes["for-loop-1[1]/say"] == ["PENDING", "RUNNING", "FAILED", "PENDING", "RUNNING", "SUCCEEDED"], changes


def main():
    with tempfile.TemporaryDirectory(prefix="bulkhead-watch-", dir=os.environ.get("SCRATCH")) as folder:
        server = Server(Path(folder) / "server", config={"executor": {"max_tasks": 8}}).start()
        try:
            jane, john, guest = (rest.Rest(server.host, token(server, f"{name}@example.com")) for name in ("jane", "john", "guest"))
            connections = calm(server, jane, john)
            withdrawn(server, jane, guest)
            retried(server, jane)
            parts = crowded(server, jane)
            tasks = killed(server, jane)
        finally:
            server.kill()
    print(f"{connections} connections saw the same, byte for byte; {tasks} tasks were seen through a kill of the server, "
          f"and {ITERATIONS} iterations in {parts} parts")


if __name__ == "__main__":
    main()
