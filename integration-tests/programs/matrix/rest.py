"""A request as a route of HTTP has it: parts in the path, parts in the body, and the rest in the query."""
import base64
import json
import re
import urllib.parse
import uuid
from dataclasses import dataclass

from google.protobuf import json_format

PARAMETER = re.compile(r"\{([^}]*)\}")


@dataclass(frozen=True)
class Http:
    method: str
    path: str
    # Nothing, a value to be sent as JSON, or bytes.
    body: object = None
    headers: tuple = ()


def request(route, message, pool) -> Http | None:
    """None if the route cannot say it: an empty part of a path leads elsewhere."""
    given = json_format.MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=pool)
    if route.body == "multipart":
        return upload(route, given)
    path, taken = route.path, []
    for parameter in PARAMETER.findall(route.path):
        value = str(take(given, parameter) or "")
        if not value:
            return None
        path = path.replace(f"{{{parameter}}}", urllib.parse.quote(value, safe=""), 1)
    body = None
    if route.body == "*":
        body, given = given, {}
    elif route.body:
        # A body that is left out is not the same as an empty one.
        field = message.DESCRIPTOR.fields_by_name[route.body]
        body = given.pop(route.body, "" if field.message_type is None else {})
    query = urllib.parse.urlencode(list(flat(given)))
    return Http(route.method, path + ("?" + query if query else ""), body)


def upload(route, given: dict) -> Http:
    """A form with the file alone, and everything else in the query."""
    package = given.pop("package")
    if "pipeline_id" in given:
        given["pipelineid"] = given.pop("pipeline_id")
    boundary = uuid.uuid4().hex
    text = f'--{boundary}\r\nContent-Disposition: form-data; name="uploadfile"; filename="{package["filename"]}"\r\n\r\n'
    # Bytes are base64 in JSON, and as they are in a form.
    content = base64.b64decode(package["content"])
    body = text.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    query = urllib.parse.urlencode(given)
    headers = (("content-type", f"multipart/form-data; boundary={boundary}"),)
    return Http(route.method, route.path + ("?" + query if query else ""), body, headers)


def take(given: dict, path: str):
    """What a path leads to, taken out."""
    *holders, field = path.split(".")
    for name in holders:
        given = given.get(name, {})
    return given.pop(field, None)


def flat(given: dict, before: str = ""):
    """Pairs for a query."""
    for name, value in given.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}.")
        elif isinstance(value, list):
            for each in value:
                assert not isinstance(each, dict), f"{before}{name}: a query cannot say a list of messages"
                yield f"{before}{name}", each
        else:
            yield f"{before}{name}", json.dumps(value) if isinstance(value, bool) else value
