"""A request that does not know yet in which world it is made: in place of ids it has marks such as ‹run:3›."""
import json
import re
import urllib.parse
from dataclasses import dataclass, field

MARK = re.compile(r"‹[^›]*›")
BOUNDARY = "the-same-in-every-world"


@dataclass
class Request:
    method: str
    path: str
    query: dict = field(default_factory=dict)
    # Sent as it is when it is text, else as JSON.
    body: object = None
    # The name and the text of a file, in a multipart form.
    upload: tuple = ()
    headers: dict = field(default_factory=dict)
    # With which credentials: the tenant's own, a mark of others, "nobody" or "wrong".
    credentials: str = "own"
    # What an answer of 200 has that later requests need: kinds of marks, and places in its JSON.
    saves: tuple = ()
    # What the saved marks belong to, and the marks that are gone after an answer of 200.
    parent: str = ""
    gone: tuple = ()
    # The mark of a run that has to come to rest afterwards, and a request that is to follow then.
    settles: str = ""
    then: object = None
    # For pages: the list that it belongs to.
    listed: object = None
    # Whether an id in it was given by the test: one of the other tenant's, which nothing but chance could tell.
    foreign: tuple = ()

    def route(self) -> tuple:
        return self.method, self.path

    def __str__(self) -> str:
        parts = [f"{self.method} {self.path}"]
        parts += [f"{name}={json.dumps(value, ensure_ascii=False)[:300]}" for name in ("query", "body", "headers", "upload")
                  if (value := getattr(self, name))]
        return " ".join(parts + ([f"as {self.credentials}"] if self.credentials != "own" else []))


def filled(value, values: dict):
    """`value` with the ids of one world in place of its marks."""
    if isinstance(value, dict):
        return {key: filled(each, values) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [filled(each, values) for each in value]
    return MARK.sub(lambda mark: values[mark[0]], value) if isinstance(value, str) else value


def wire(request: Request, values: dict) -> tuple:
    """The path, the body and the headers, as they are sent."""
    path, headers = filled(request.path, values), dict(request.headers)
    if request.query:
        path += "?" + urllib.parse.urlencode(filled(request.query, values))
    body = filled(request.body, values)
    if request.upload:
        name, text = filled(request.upload, values)
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="uploadfile"; filename="{name}"\r\n\r\n'
        body = f"{head}{text}\r\n--{BOUNDARY}--\r\n"
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
    elif body is not None:
        headers.setdefault("Content-Type", "application/json")
        body = body if isinstance(body, str) else json.dumps(body)
    return path, None if body is None else body.encode(), headers


def at(value, place: str):
    """`runs.0.run_id`: a place in an answer, or None."""
    try:
        for part in place.split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
    except (LookupError, TypeError, ValueError):
        return None
    return value
