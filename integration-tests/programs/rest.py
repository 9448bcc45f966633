"""REST as it is on the wire: every status is an answer, and bodies are bytes."""
import http.client
import json
import os
import time
import urllib.parse
import uuid
from dataclasses import dataclass

ENDED = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"}


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)

    def text(self):
        """For people: everything that the answer says."""
        return self.body.decode()


class Rest:
    """Somebody with this token, or nobody without one."""

    def __init__(self, host=None, token=None):
        self.address = urllib.parse.urlsplit(host or os.environ["KFP_HOST"]).netloc
        self.token = token

    def call(self, method, path, body=None, query=None, headers=None):
        """`body` is sent as it is when it is bytes or text, else as JSON."""
        if query:
            path += "?" + urllib.parse.urlencode(query)
        headers = dict(headers or {})
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, path, body.encode() if isinstance(body, str) else body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def ok(self, method, path, body=None, query=None):
        """The JSON of an answer that has to be 200."""
        answer = self.call(method, path, body, query)
        assert answer.status == 200, f"{method} {path}: {answer.status} {answer.text()}"
        return answer.json()

    def upload(self, path, content, filename="pipeline.yaml", field="uploadfile", query=None):
        """A multipart form with one file in it."""
        boundary = uuid.uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return self.call("POST", path, body, query, {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def experiment(self, name, namespace=None):
        body = {"display_name": name, "namespace": namespace or os.environ["KFP_NAMESPACE"]}
        return self.ok("POST", "/apis/v2beta1/experiments", body)["experiment_id"]

    def pipeline(self, package, name, namespace=None):
        """Uploads one of the compiled pipelines, and gives its id."""
        query = {"name": name, "namespace": namespace or os.environ["KFP_NAMESPACE"]}
        answer = self.upload("/apis/v2beta1/pipelines/upload", compiled(package), query=query)
        assert answer.status == 200, f"upload of {package}: {answer.status} {answer.text()}"
        return answer.json()["pipeline_id"]

    def run(self, experiment, pipeline, name="run", parameters=None):
        body = {"display_name": name, "experiment_id": experiment,
                "pipeline_version_reference": {"pipeline_id": pipeline},
                "runtime_config": {"parameters": parameters or {}}}
        return self.ok("POST", "/apis/v2beta1/runs", body)["run_id"]

    def ended(self, run, seconds=300):
        """Waits for a run to end, and gives it."""
        deadline = time.monotonic() + seconds
        while (found := self.ok("GET", f"/apis/v2beta1/runs/{run}")).get("state") not in ENDED:
            assert time.monotonic() < deadline, f"the run did not end within {seconds} s: {found}"
            time.sleep(0.2)
        return found


def compiled(package):
    """The bytes of a pipeline that was compiled from pipelines.py."""
    with open(os.path.join(os.environ["PIPELINES"], f"{package}.yaml"), "rb") as file:
        return file.read()


def token(variable):
    """The token in the file that an environment variable names."""
    with open(os.environ[variable]) as file:
        return file.read().strip()


def jane():
    return Rest(token=token("KF_PIPELINES_SA_TOKEN_PATH"))


def john():
    return Rest(token=token("OTHER_TOKEN_PATH"))


def nobody():
    return Rest()
