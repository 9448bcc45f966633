"""Callers without a login, in a process of their own: REST on sockets that stay open, and gRPC."""
import http.client
import random
import time

MIB = 1 << 20
FORM = 'multipart/form-data; boundary=x'
FILE = '--x\r\nContent-Disposition: form-data; name="uploadfile"; filename="p.yaml"\r\n\r\nx: y\r\n--x--\r\n'
JSON = "application/json"
# Method, path, body and its type: nothing is wrong with any but that nobody sends it.
READING = [
    ("GET", path, None, "")
    for path in ("/apis/v2beta1/experiments?namespace=jane-doe", "/apis/v2beta1/runs/01a21531-0000-7000-8000-000000000000",
                 "/apis/v1beta1/runs/x/nodes/y/log?follow=true", "/apis/bulkhead/v1/whoami",
                 "/apis/v2beta1/runs/x/nodes/y/artifacts/z:read")
] + [("DELETE", "/apis/v1beta1/jobs/x", None, "")]
WRITING = [("POST", "/apis/v2beta1/runs", b'{"display_name": "x"}', JSON),
           ("POST", "/apis/bulkhead/v1/tokens", b'{"description": "x"}', JSON),
           ("POST", "/apis/v1beta1/workflows", b'"{}"', JSON),
           ("POST", "/apis/v2beta1/pipelines/upload?name=x", FILE.encode(), FORM)]
# One of so many has a body of 10 MB.
LARGE_EVERY = 100


def login(rng: random.Random) -> dict:
    word = rng.choice([
        "", "", "Bearer nothing", f"Bearer bhk_{rng.getrandbits(256):x}", "Bearer " + "x" * 4000, "Basic YWRtaW46YWRtaW4=",
        "Bearer eyJhbGciOiJub25lIn0.e30."
    ])
    return {"Authorization": word} if word else {"kubeflow-userid": "jane@example.com"}


def over_rest(address: str, requests: int, seed: int, results) -> None:
    """Puts how many requests were answered with which status, and how many broke off, into `results`."""
    rng, connection, counts = random.Random(seed), None, {}
    for number in range(requests):
        method, path, content, kind = rng.choice(READING + WRITING)
        if number % LARGE_EVERY == 0:
            # In pieces of which nobody says how many there will be, or whole.
            method, path, _, kind = rng.choice(WRITING)
            content = iter([b"x" * MIB] * 10) if number % (2 * LARGE_EVERY) else b"x" * (10 * MIB)
        if connection is None:
            connection = http.client.HTTPConnection(address, timeout=60)
        try:
            connection.request(method, path, content, login(rng) | ({"Content-Type": kind} if kind else {}))
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            connection, status = None, type(error).__name__
        counts[status] = counts.get(status, 0) + 1
    results.put(counts)


def over_grpc(address: str, requests: int, seed: int, results) -> None:
    """The same, as calls of methods whose messages the server never gets to read."""
    import grpc

    rng, counts = random.Random(seed), {}
    channel = grpc.insecure_channel(address, options=[("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)])
    services = [
        "kubeflow.pipelines.backend.api.v2beta1.RunService/GetRun",
        "kubeflow.pipelines.backend.api.v2beta1.ExperimentService/ListExperiments", "api.RunService/CreateRunV1",
        "bulkhead.v1.UploadService/UploadPipeline"
    ]
    calls = [channel.unary_unary(f"/{service}", lambda message: message, lambda message: message) for service in services]
    for number in range(requests):
        message = b"x" * (10 * MIB) if number % LARGE_EVERY == 0 else b""
        metadata = [(name.lower(), value) for name, value in login(rng).items()]
        try:
            rng.choice(calls)(message, metadata=metadata, timeout=60)
            status = "OK"
        except grpc.RpcError as error:
            status = error.code().name
        counts[status] = counts.get(status, 0) + 1
    results.put(counts)


def watched(pid: int, over, memory: list) -> None:
    """Notes the memory of a process until it is over."""
    while not over.is_set():
        with open(f"/proc/{pid}/status") as status:
            memory.append(next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS")))
        time.sleep(0.02)
