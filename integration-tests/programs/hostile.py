"""A tenant whose pipeline means harm, with everything told that one could guess: paths, process ids, addresses.

It proves that a task reaches nothing of the server's, of another tenant's or of another run's, learns nothing from the
API without a token, changes nothing outside of its own folder, and leaves no process behind. The attempts that read are
first made without a sandbox, where they succeed: so they fail for the right reason afterwards.
"""
import json
import os
import tempfile
import types
import uuid
from pathlib import Path

from kfp import compiler

import processes
import rest
from hostile_pipeline import attack, hostile

jane, john = rest.jane(), rest.john()
namespace, other_namespace = os.environ["KFP_NAMESPACE"], os.environ["OTHER_NAMESPACE"]
data, folder, server = Path(os.environ["SERVER_DATA"]), Path(os.environ["SERVER_FOLDER"]), int(os.environ["SERVER_PID"])
marker = f"hostile-{uuid.uuid4().hex[:12]}"


def holding(content):
    """The files of the server that have these bytes in them."""
    found = []
    for file in data.rglob("*"):
        try:
            if file.is_file() and not file.is_symlink() and content in file.read_bytes():
                found.append(str(file))
        except OSError:
            continue  # ended, like a task's own files
    return sorted(found)


# What there is to steal: what is left of a run of another tenant, and of an earlier one of the same.
treasures = {"foreign": f"pearls-{uuid.uuid4().hex}", "earlier": f"rubies-{uuid.uuid4().hex}"}
for who, where, treasure in ((john, other_namespace, treasures["foreign"]), (jane, namespace, treasures["earlier"])):
    run = who.run(who.experiment(treasure, where), who.pipeline("treasure", treasure, where), parameters={"treasure": treasure})
    assert who.ended(run)["state"] == "SUCCEEDED", who.ended(run)
places = {name: holding(treasure.encode()) for name, treasure in treasures.items()}
databases = [str(file) for file in data.rglob("*") if file.is_file() and file.open("rb").read(15) == b"SQLite format 3"]
databases += [str(file) for database in databases for file in Path(database).parent.glob(Path(database).name + "-*")]
assert databases and all(set(found) - set(databases) for found in places.values()), (databases, places)
system = ["/usr", "/usr/bin", "/usr/local/bin", "/etc", "/root", "/var", "/home"]
outside = folder / "outside"
outside.mkdir()
(outside / "target").write_text(f"sapphires-{marker}")
secrets = [*treasures.values(), os.environ["SERVER_SECRET"], jane.token, john.token]

told = {
    "marker": marker, "in_earnest": True, "server": server, "processes": [os.getpid(), os.getppid()],
    "host": os.environ["KFP_HOST"], "admin": os.environ["SERVER_ADMIN"],
    "tenants": [namespace, other_namespace, "jane@example.com", "john@example.com"],
    "treasures": [secret[::-1] for secret in secrets],
    "databases": databases, "data": str(data), "outside": str(outside),
    "system": system,
    "foreign": [file for file in places["foreign"] if file not in databases],
    "earlier": [file for file in places["earlier"] if file not in databases],
    "tokens": [os.environ["KF_PIPELINES_SA_TOKEN_PATH"], os.environ["OTHER_TOKEN_PATH"]],
    "profiles": str(folder / "profiles"), "profile_files": os.listdir(folder / "profiles"),
    "config": str(folder / "config.yaml"), "log": str(folder / "server.log"),
}

# The attempts at reading are good ones: without a sandbox they get in.
with tempfile.TemporaryDirectory() as scratch:
    trial = os.path.join(scratch, "report")
    attack.python_func({**told, "in_earnest": False}, types.SimpleNamespace(path=trial))
    came_of = json.loads(open(trial).read().split(" ", 3)[3])
for name in (
        "read the database", "read the files of another tenant", "read the files of another run", "read tokens",
        "list the profiles", "read the profiles", "read the configuration", "read the server's log",
        "search the data folder", "read the server's environment", "read the server's arguments",
        "read the server's maps", "enter the server's folder", "find the server among the processes"):
    assert came_of[name]["got_in"], f"the attempt to {name} is no attempt: {came_of[name]}"

before = holding(f"sapphires-{marker}".encode())
package = str(outside / "hostile.yaml")
compiler.Compiler().compile(hostile, package)
with open(package, "rb") as file:
    answer = jane.upload("/apis/v2beta1/pipelines/upload", file.read(), query={"name": marker, "namespace": namespace})
assert answer.status == 200, answer
run = jane.run(
    jane.experiment(marker), answer.json()["pipeline_id"],
    parameters={"told": told, "target": str(outside / "target")})
done = jane.ended(run)
tasks = {task["display_name"]: task for task in done["run_details"]["task_details"]}
assert tasks["attack"]["state"] == "SUCCEEDED", tasks["attack"]

reports = [file for file in holding(f"report of {marker} ".encode()) if file not in databases]
assert reports, "the report of the attempts is nowhere in the data folder"
report = next(line for line in Path(reports[0]).read_text().splitlines() if f"report of {marker} " in line)
came_of = json.loads(report[report.index("{"):])
# A sandbox may have an empty folder of its own where the server's files are: whether a file got out is seen below.
apparent = {"write beside the server's files"}
if "podman" in (folder / "config.yaml").read_text():
    # The image is the task's to change, and each task has it anew.
    apparent |= {"write to the system", "plant a module in the shared Python", "plant a program beside the shared Python",
                 "change a module of the shared Python"}
reached = {}
for name, what in came_of.items():
    print(f"{name}: {'GOT IN' if what['got_in'] else 'failed'}: {what['why']}")
    if what["got_in"] and name not in apparent:
        reached[name] = what["why"]
assert len(came_of) >= 35, f"only {len(came_of)} attempts were made: {list(came_of)}"
assert not reached, json.dumps(reached, indent=1)

# What only shows from outside.
os.kill(server, 0)
with open(f"/proc/{server}/stat") as file:
    assert file.read().rpartition(")")[2].split()[0] != "T", "the server is stopped"
assert rest.nobody().ok("GET", "/apis/v2beta1/healthz")["multi_user"] is True
processes.wait_for_none(f"{marker}-lingers")
planted = [*folder.rglob(f"planted-{marker}"), *(file for place in system for file in Path(place).glob(f"planted-{marker}"))]
for file in planted:
    file.unlink()
assert not planted, planted
fetched = [file for file in holding(f"sapphires-{marker}".encode()) if file not in before]
assert not fetched, f"the server followed a task's link: {fetched}"
print(f"{len(came_of)} attempts failed; a task that is a link ended {tasks['link']['state']}")
