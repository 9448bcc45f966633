"""Calls as they are on the wire, and everything that a caller can see of the answers: gRPC, REST and gRPC-Web."""
import base64
import http.client
import json
import struct
import threading
import time
import urllib.parse
from dataclasses import dataclass

import grpc

SECONDS = 60
# After so many seconds the server may have closed a connection.
IDLE = 5
# What differs from answer to answer, and tells nothing: when it was given, and to which request.
OWN = {"date", "x-request-id"}
# docs/API.md, "Errors". AlreadyExists and Aborted share one, as do InvalidArgument and FailedPrecondition.
STATUS = {
    "OK": 200, "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "ABORTED": 409, "RESOURCE_EXHAUSTED": 429, "INTERNAL": 500, "UNKNOWN": 500,
    "UNIMPLEMENTED": 501, "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504,
}
NAMES = {code.value[0]: code.name for code in grpc.StatusCode}


@dataclass(frozen=True)
class Answer:
    # The gRPC code's name; over REST, where it has no error, OK.
    code: str
    # Over HTTP.
    status: int | None
    headers: tuple
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)

    def blotted(self, id_: str) -> tuple:
        """All that is visible, but for one id."""
        def blot(value):
            return value.replace(id_.encode(), b"ID") if isinstance(value, bytes) else value.replace(id_, "ID")

        return self.code, self.status, tuple((name, blot(value)) for name, value in self.headers), blot(self.body)

    def __str__(self) -> str:
        status = f"{self.status} " if self.status is not None else ""
        return f"{status}{self.code} {self.body[:300]!r}"


def visible(headers) -> tuple:
    return tuple(sorted((name.lower(), value) for name, value in headers or () if name.lower() not in OWN))


class Grpc:
    """Calls over one channel."""

    def __init__(self, address: str):
        self.channel = grpc.insecure_channel(address)

    def call(self, rpc, request, headers: dict) -> Answer:
        kind = ("stream" if rpc.asks_by_stream else "unary") + "_" + ("stream" if rpc.answers_by_stream else "unary")
        # Answers stay bytes: they are compared, not read.
        call = getattr(self.channel, kind)(f"/{rpc.full_name}", request_serializer=type(request).SerializeToString)
        request = iter([request]) if rpc.asks_by_stream else request
        metadata = tuple(headers.items())
        try:
            if not rpc.answers_by_stream:
                body, done = call.with_call(request, metadata=metadata, timeout=SECONDS)
                return Answer("OK", None, visible((*done.initial_metadata(), *done.trailing_metadata())), body)
            # A stream may never end, so the first message is what counts, or that it ended without any.
            stream = call(request, metadata=metadata, timeout=SECONDS)
            body = next(stream, b"")
            stream.cancel()
            return Answer("OK", None, (), body)
        except grpc.RpcError as error:
            seen = visible((*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())))
            return Answer(error.code().name, None, seen, (error.details() or "").encode())


class Http:
    """Calls over a connection for each thread."""

    def __init__(self, host: str):
        self.address, self.own = urllib.parse.urlsplit(host).netloc, threading.local()

    def call(self, method: str, path: str, headers: dict, body=None) -> Answer:
        """`body` is sent as JSON, unless it is bytes."""
        if body is not None and not isinstance(body, bytes):
            headers, body = {"content-type": "application/json"} | headers, json.dumps(body).encode()
        answer, content = self.ask(method, path, headers, body)
        code = "OK"
        if answer.status >= 300:
            try:
                code = NAMES[json.loads(content)["code"]]
            except (ValueError, KeyError, TypeError):
                code = "(none)"
        return Answer(code, answer.status, visible(answer.getheaders()), content)

    def web(self, rpc, request, headers: dict) -> Answer:
        """The same by gRPC-Web."""
        message = request.SerializeToString()
        frame = struct.pack(">BI", 0, len(message)) + message
        headers = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"} | headers
        answer, content = self.ask("POST", f"/{rpc.full_name}", headers, frame)
        # Trailers are in the last frame, or, where nothing else is to be said, in the headers.
        trailers, rest = visible(answer.getheaders()), content
        while len(rest) >= 5:
            flags, length = struct.unpack(">BI", rest[:5])
            if flags & 0x80:
                lines = rest[5:5 + length].decode().split("\r\n")
                trailers += tuple(tuple(line.split(":", 1)) for line in lines if ":" in line)
            rest = rest[5 + length:]
        code = next((value.strip() for name, value in trailers if name == "grpc-status"), "")
        # What is bytes is base64 here, in which an id could not be found again.
        seen = tuple((name, base64.b64decode(value + "==") if name.endswith("-bin") else value)
                     for name, value in visible(answer.getheaders()))
        return Answer(NAMES[int(code)] if code.isdigit() else "(none)", answer.status, seen, content)

    def ask(self, method: str, path: str, headers: dict, body) -> tuple:
        connection, used = getattr(self.own, "connection", (None, 0))
        if connection is None or time.monotonic() - used > IDLE:
            connection = http.client.HTTPConnection(self.address, timeout=SECONDS)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (http.client.HTTPException, OSError):
            connection.close()
            self.own.connection = None, 0
            raise
        self.own.connection = connection, time.monotonic()
        return answer, content
