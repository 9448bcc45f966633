"""When a token ends, so does what was begun with it."""
import time
import urllib.parse

import grpc

import specs
import stubs  # noqa: F401: it makes what is imported below.
from bulkhead.v1 import files_pb2, files_pb2_grpc
from token_parts.people import MURMUR, TOKENS, V1, V2, Follower, People, at

WITHIN = 2.0
# `tokens.cache`, as it is by default.
CACHE = 2.0


def revoked_by_another(people: People, token: dict) -> None:
    people.jane.ok("DELETE", f"{TOKENS}/{token['token_id']}")


def revoked_by_the_operator(people: People, token: dict) -> None:
    people.server.command("token", "revoke", token["token_id"])


def revoked_with_its_parent(people: People, token: dict) -> None:
    people.jane.ok("DELETE", f"{TOKENS}/{token['made_with']}")


def expired(people: People, token: dict) -> None:
    # Its time has come, up to the second in which it does.
    while at(0) < token["expires_at"]:
        time.sleep(0.01)


ENDS = (revoked_by_another, revoked_by_the_operator, revoked_with_its_parent, expired)


def check(people: People) -> str:
    run = people.run(MURMUR, "followed")
    while not people.jane.call("GET", f"{V1}/runs/{run}/nodes/murmur/log").body:
        time.sleep(0.1)
    slowest = 0.0
    for end in ENDS:
        by = people.made(people.jane)[0] if end is revoked_with_its_parent else people.jane
        who, token = people.made(by, **({"expires_at": at(4)} if end is expired else {}))
        paths = [f"/apis/{version}/runs/{run}/nodes/murmur/log?follow=true" for version in ("v1alpha1", "v1beta1")]
        followers, ours = [Follower(who, path) for path in paths], Follower(people.jane, paths[0])
        channel = grpc.insecure_channel(urllib.parse.urlsplit(people.server.host).netloc)
        stub = files_pb2_grpc.LogServiceStub(channel)
        call = stub.ReadLog(files_pb2.ReadLogRequest(run_id=run, node_id="murmur", follow=True),
                            metadata=[("authorization", f"Bearer {who.token}")], timeout=60)
        for follower in (*followers, ours):
            follower.more()
        assert next(call).data
        end(people, token)
        ended = time.monotonic()
        for follower in followers:
            follower.cut(WITHIN)
        code = grpc_end(call)
        took = time.monotonic() - ended
        slowest = max(slowest, took)
        assert took < WITHIN, f"{end.__name__}: a log was still followed after {took:.1f} s"
        assert code == grpc.StatusCode.UNAUTHENTICATED, (end.__name__, code)
        if end is revoked_by_the_operator:
            # Another process than the server has done it, which hears of it when what it knows is too old.
            time.sleep(max(0.0, ended + CACHE + 0.1 - time.monotonic()))
        for path in (f"{V2}/runs/{run}", paths[0], "/apis/bulkhead/v1/whoami", TOKENS):
            answer = who.call("GET", path)
            assert answer.status == 401 and who.token not in answer.text(), (end.__name__, path, answer)
        # Who still has a token reads on.
        before = ours.read
        while ours.read < before + 50:
            ours.more()
    people.jane.ok("POST", f"{V2}/runs/{run}:terminate")
    return f"{len(ENDS)} ends, {slowest:.1f} s at most to the end of a followed log, {artifact(people):.1f} s for an artifact"


def grpc_end(call) -> grpc.StatusCode:
    try:
        for _ in call:
            pass
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def artifact(people: People) -> float:
    """An artifact that is being read slowly is cut off too; what was on its way already may still come."""
    run = people.run(specs.spec("large", 'mkdir -p "$(dirname "$1")"; truncate -s 96M "$1"', True), "large")
    assert people.jane.ended(run)["state"] == "SUCCEEDED"
    who, token = people.made(people.jane)
    reader = Follower(who, f"{V2}/runs/{run}/nodes/large/artifacts/greeting:read")
    for _ in range(10):
        reader.more()
        time.sleep(0.05)
    revoked_by_another(people, token)
    time.sleep(WITHIN)
    took = reader.cut(WITHIN)
    assert reader.read < 96 << 20, f"{reader.read} bytes came all the same"
    return took
