"""A backup beside a server that works, and a server on what is restored of it."""
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import rest
from harness.server import BINARY, Server

scratch = Path(os.environ["SCRATCH"])
server = Server(scratch / "server").start()


def bulkhead(*words):
    return subprocess.run([str(BINARY), *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def refused(why, *words):
    done = bulkhead(*words)
    assert done.returncode != 0 and why in done.stderr, (words, done)


def somebody():
    """With the one token, which is in the database too."""
    file = server.folder / "jane@example.com.token"
    return rest.Rest(server.host, (file if file.exists() else server.token("jane@example.com")).read_text().strip())


def told(who):
    """All that the API tells of runs, with an artifact's content."""
    listing = who.ok("GET", "/apis/v2beta1/runs?namespace=jane-doe&page_size=100&sort_by=created_at")
    runs = [who.ok("GET", f"/apis/v2beta1/runs/{run['run_id']}") for run in listing["runs"]]
    logs = who.call("GET", f"/apis/bulkhead/v1/runs/{first}:followLogs?no_follow=true").body
    return json.dumps([listing["total_size"], runs], sort_keys=True), logs


try:
    jane = somebody()
    experiment = jane.experiment("kept", "jane-doe")
    pipeline = jane.pipeline("treasure", "treasure", "jane-doe")
    first = jane.run(experiment, pipeline, parameters={"treasure": "opals"})
    assert jane.ended(first)["state"] == "SUCCEEDED"
    folder = next(server.data.glob("ns/jane-doe/runs/*/*"))
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    more = [jane.run(experiment, pipeline, name=f"later {at}", parameters={"treasure": "x" * 1000}) for at in range(3)]

    # While three runs go on.
    file = scratch / "backup.tar.gz"
    done = bulkhead("backup", file, "--data-dir", server.data)
    assert done.returncode == 0 and "2 links" in done.stdout, done
    assert file.stat().st_mode & 0o777 == 0o600
    refused("does not overwrite", "backup", file, "--data-dir", server.data)
    refused("no data folder", "backup", scratch / "other.tar.gz", "--data-dir", scratch / "nowhere")
    assert not list(scratch.glob(".*")), "something is left of a backup"
    for run in more:
        assert jane.ended(run)["state"] == "SUCCEEDED"
    before = told(jane)
    names = tarfile.open(file).getnames()
    assert names[:2] == ["bulkhead-backup.json", "bulkhead.db"] and not [name for name in names if "/envs" in name], names[:5]

    refused("is not empty", "restore", file, "--data-dir", server.data)
    refused("restore it there, or say --elsewhere", "restore", file, "--data-dir", scratch / "elsewhere")
    server.stop()
    shutil.rmtree(server.data)

    # What is damaged or means harm leaves nothing.
    content = file.read_bytes()
    cases = {"cut": content[:len(content) // 2], "flipped": content[:-2000] + bytes([content[-2000] ^ 255]) + content[-1999:],
             "checksum": content[:-5] + bytes([content[-5] ^ 255]) + content[-4:], "empty": b"", "text": b"no archive"}
    for member, kind, target in (("ns/../../out", tarfile.REGTYPE, ""), ("/out", tarfile.REGTYPE, ""), ("ns/link", tarfile.SYMTYPE, "/etc"),
                                 ("lock", tarfile.REGTYPE, ""), ("bulkhead.db", tarfile.LNKTYPE, "/etc/passwd")):
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w:gz") as archive:
            about = json.dumps({"format": 1, "version": "0", "created_at": "", "data_dir": str(server.data), "files": True}).encode()
            entry = tarfile.TarInfo("bulkhead-backup.json")
            entry.size = len(about)
            archive.addfile(entry, io.BytesIO(about))
            entry = tarfile.TarInfo(member)
            entry.type, entry.linkname = kind, target
            archive.addfile(entry, io.BytesIO(b""))
        cases[member] = made.getvalue()
    for name, bad in cases.items():
        harm = scratch / "bad.tar.gz"
        harm.write_bytes(bad)
        refused("cannot be restored", "restore", harm, "--data-dir", server.data)
        assert not server.data.exists() and not (scratch / "out").exists() and not list(server.folder.glob(".*")), name

    done = bulkhead("restore", file, "--data-dir", server.data)
    assert done.returncode == 0, done
    server.start()
    jane = somebody()
    for run in more:
        # Under way when the backup was made: it ends one way or the other.
        assert jane.ended(run)["state"] in ("SUCCEEDED", "FAILED")
    after = told(jane)
    assert json.loads(after[0])[0] == 4
    assert json.loads(after[0])[1][0] == json.loads(before[0])[1][0] and after[1] == before[1], "the first run is another"
    server.stop()

    done = bulkhead("backup", scratch / "small.tar.gz", "--data-dir", server.data, "--database-only")
    assert done.returncode == 0 and len(tarfile.open(scratch / "small.tar.gz").getnames()) == 2, done
    print(f"{len(names)} entries came back; {len(cases)} bad ones left nothing")
finally:
    server.kill()
