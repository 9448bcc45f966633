"""Archives that lead out of themselves, or are larger than they look; bodies, pages and values without a bound."""
import gzip
import io
import json
import os
import stat
import tarfile
import time
import uuid
import zipfile

import specs
from regressions.case import regression
from regressions.stage import JOHNS, V1, V2

MIB = 1 << 20
PACKAGE = json.dumps(specs.HELLO).encode()


def zipped(entries: dict, linked: tuple = ()) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if name in linked:
                info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            with archive.open(info, "w", force_zip64=True) as file:
                for part in [content] if isinstance(content, bytes) else content:
                    file.write(part)
    return kept.getvalue()


def tarred(members: list) -> bytes:
    """Of (name, type, link, content)."""
    kept = io.BytesIO()
    with tarfile.open(fileobj=kept, mode="w:gz") as archive:
        for name, type_, link, content in members:
            head = tarfile.TarInfo(name)
            head.type, head.linkname, head.size = type_, link, len(content)
            archive.addfile(head, io.BytesIO(content))
    return kept.getvalue()


def sent(stage, content: bytes, filename: str, name: str = "") -> list:
    """The answers of all routes that take a package."""
    answers = []
    for version in (V1, V2):
        answers.append(
            stage.upload("john", f"{version}/pipelines/upload", content, {"name": name or uuid.uuid4().hex, "namespace": JOHNS},
                         filename))
        query = {"name": name or uuid.uuid4().hex, "pipelineid": stage.theirs["pipeline"]}
        answers.append(stage.upload("john", f"{version}/pipelines/upload_version", content, query, filename))
    return answers


@regression("CVE-2025-62156")
def cve_2025_62156_zip_slip(stage):
    """CVE-2025-62156 (Argo Workflows): an entry of an archive whose name led upwards was written where it led."""
    tag = f"slipped-{uuid.uuid4().hex}"
    names = [
        f"../../../../../../../tmp/{tag}.yaml", f"/tmp/{tag}.yaml", f"..\\..\\..\\tmp\\{tag}.yaml",
        f"{stage.server.profiles}/{tag}.yaml", f"x/../../{tag}.yaml"
    ]
    for name in names:
        for entries in ([(name, PACKAGE), ("pipeline.yaml", PACKAGE)], [(name, PACKAGE)]):
            for content, filename in ((zipped(dict(entries)), "p.zip"), (tarred(
                [(each, tarfile.REGTYPE, "", data) for each, data in entries]), "p.tar.gz")):
                assert all(answer.status in (200, 400) for answer in sent(stage, content, filename)), name
    # The name of the file itself.
    for answer in sent(stage, PACKAGE, f"../../../../tmp/{tag}.yaml") + sent(stage, PACKAGE, f"/tmp/{tag}.yaml"):
        assert answer.status in (200, 400), answer
    for folder in ("/tmp", str(stage.server.folder), os.getcwd()):
        found = [os.path.join(where, file) for where, _, files in os.walk(folder) for file in files if file == f"{tag}.yaml"]
        assert not found, found


@regression("GO-2025-4223")
def go_2025_4223_symlinks_in_archives(stage):
    """GO-2025-4223 (Argo Workflows, the fix of CVE-2025-62156): a link in an archive was made, and what came after it was
    written, or read, where the link led."""
    config = str(stage.server.config)
    links = [[("pipeline.yaml", tarfile.SYMTYPE, target, b"")] for target in ("/etc/passwd", config, "../../../../etc/passwd")]
    links += [[("pipeline.yaml", tarfile.LNKTYPE, config, b"")], [("pipeline.yaml", tarfile.FIFOTYPE, "", b"")],
              [("pipeline.yaml", tarfile.CHRTYPE, "", b"")],
              [("x", tarfile.SYMTYPE, config, b""), ("pipeline.yaml", tarfile.SYMTYPE, "x", b"")]]
    for members in links:
        for answer in sent(stage, tarred(members), "p.tar.gz"):
            assert answer.status == 400 and "root:" not in answer.text() and "audit" not in answer.text(), (members, answer)
    for target in (b"/etc/passwd", config.encode()):
        for answer in sent(stage, zipped({"pipeline.yaml": target}, ("pipeline.yaml",)), "p.zip"):
            assert answer.status == 400 and "root:" not in answer.text(), answer
    # A folder that is a link, and a file in it, which is the pipeline and nothing else.
    folder = [("d", tarfile.SYMTYPE, str(stage.server.profiles), b""), ("d/linked.yaml", tarfile.REGTYPE, "", PACKAGE)]
    assert all(answer.status in (200, 400) for answer in sent(stage, tarred(folder), "p.tar.gz"))
    assert not (stage.server.profiles / "linked.yaml").exists()


@regression("api9.21")
def api9_21_archives_without_a_bound(stage):
    """KFP 2.17: an archive was unpacked whatever it became, and YAML with aliases grew likewise, so that a small upload
    filled the memory."""
    def zeros(size: int):
        return (b" " * MIB for _ in range(size // MIB))

    bombs = [(zipped({"pipeline.yaml": zeros(256 * MIB)}), "p.zip"), (gzip.compress(b" " * (256 * MIB), 1), "p.tar.gz"),
             (tarred([("pipeline.yaml", tarfile.REGTYPE, "", b" " * (96 * MIB))]), "p.tar.gz"),
             (zipped({"x.yaml": zeros(MIB)} | {f"{number}.yaml": b"" for number in range(2000)}), "p.zip"),
             (tarred([(f"{number}.txt", tarfile.REGTYPE, "", b"") for number in range(2000)]), "p.tar.gz"),
             (("a: &a [x,x,x,x,x,x,x,x,x]\n" +
               "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi"))).encode(), "p.yaml"),
             (b"[" * 200_000, "p.yaml"), (b"{\"a\":" * 100_000, "p.json"), (b"- " * 100_000, "p.yaml"),
             (b" " * (33 * MIB), "p.yaml")]
    before = stage.memory()
    for content, filename in bombs:
        began = time.monotonic()
        for answer in sent(stage, content, filename)[:2]:
            assert answer.status in (400, 413), (filename, len(content), answer)
        assert time.monotonic() - began < 60, f"{filename} of {len(content)} bytes took {time.monotonic() - began:.0f} s"
        stage.alive()
    grown = stage.memory() - before
    assert grown < 256 * MIB, f"the server grew by {grown // MIB} MiB"


@regression("api9.21")
def api9_21_requests_without_a_bound(stage):
    """KFP 2.17: there was no limit to a body, a page, a filter or a description, nor any for one tenant alone."""
    many = {"predicates": [{"operation": "EQUALS", "key": "name", "string_value": "x"}] * 65}
    values = {"predicates": [{"operation": "IN", "key": "name", "string_values": {"values": ["x"] * 1001}}]}
    for filter_ in (many, values):
        stage.refused({"john": (400, 414, 431)}, "GET", f"{V2}/experiments",
                      query={"namespace": JOHNS, "filter": json.dumps(filter_)})
    stage.refused({"john": 200}, "GET", f"{V2}/experiments", query={"namespace": JOHNS, "page_size": 2_000_000_000})
    for body in ({"display_name": "x" * 129,
                  "namespace": JOHNS}, {"display_name": "x", "description": "x" * 65_537, "namespace": JOHNS}):
        stage.refused({"john": 400}, "POST", f"{V2}/experiments", body)
    experiment = stage.theirs["experiment"]
    stage.refused({"john": 400}, "POST", f"{V2}/runs", {
        "display_name": "x", "experiment_id": experiment, "pipeline_spec": specs.HELLO,
        "runtime_config": {"parameters": {"word": "x" * (2 * MIB)}}
    })
    stage.refused({"john": 400}, "POST", f"{V2}/runs", '{"pipeline_spec": ' + "[" * 100_000)
    stage.refused({"john": 400}, "POST", f"{V2}/runs",
                  {"display_name": "x", "experiment_id": experiment, "pipeline_spec": {"x": [0] * 100_001}})
    before = stage.memory()
    stage.refused({"john": 413}, "POST", f"{V2}/runs", b" " * (65 * MIB), headers={"Content-Type": "application/json"})
    assert stage.memory() - before < 160 * MIB
    stage.alive()


@regression("CVE-2026-42294")
def cve_2026_42294_bodies_before_login(stage):
    """CVE-2026-42294 (Argo Workflows): the body of a webhook was read whole before anybody had been authenticated, until
    memory ran out."""
    before = stage.memory()
    for path in (f"{V2}/experiments", f"{V2}/runs", f"{V1}/workflows", f"{V2}/pipelines/upload", "/nowhere",
                 "/apis/bulkhead/v1/tokens"):
        for _ in range(3):
            stage.refused({"nobody": (401, 404), "wrong": 401 if path != "/nowhere" else (401, 404)}, "POST", path,
                          b"x" * (10 * MIB))
    grown = stage.memory() - before
    assert grown < 64 * MIB, f"the server grew by {grown // MIB} MiB"
