"""What the generated clients have: every method and every model, found by reflection, and which of them were called.

As a program it prints both as JSON, for those who hold them against the server's OpenAPI documents.
"""
import inspect
import json
import re
import sys

import kfp_server_api
from kfp_server_api import api as services
from kfp_server_api import models

# The other forms in which the generator writes every method.
FORM = "_with_http_info"


def methods():
    """Every method of every `*Api` class, by its name, with its class. No name is there twice."""
    found = {}
    for _, service in inspect.getmembers(services, inspect.isclass):
        for name, function in inspect.getmembers(service, inspect.isfunction):
            if not name.startswith("_") and not name.endswith(FORM):
                assert name not in found, f"{name} is in two classes"
                found[name] = service
    assert found
    return found


class Everything:
    """Keeps account of which methods were called, whoever called them."""

    def __init__(self, host):
        self.host, self.methods = host, methods()
        self.succeeded, self.refused = set(), set()

    def person(self, token):
        return Person(self, token)

    def complete(self, deviations):
        """Fails unless every method has succeeded, but for the deviations, which have to be refused and nothing else."""
        assert not (odd := deviations - self.methods.keys()), f"the client has no {odd}"
        missed = self.methods.keys() - self.succeeded - deviations
        assert not missed, f"{len(missed)} methods have never succeeded: {sorted(missed)}"
        assert not (kept := self.succeeded & deviations), f"declared as deviations, and yet they succeed: {sorted(kept)}"
        assert not (unasked := deviations - self.refused), f"declared as deviations, and never asked for: {sorted(unasked)}"
        return f"{len(self.methods)} methods called, {len(deviations)} declared deviations"


class Person:
    """The methods of all services in one place, for who has this token."""

    def __init__(self, everything, token):
        configuration = kfp_server_api.Configuration(host=everything.host)
        configuration.api_key["authorization"], configuration.api_key_prefix["authorization"] = token, "Bearer"
        self.everything, self.client = everything, kfp_server_api.ApiClient(configuration)

    def __getattr__(self, name):
        function = getattr(self.everything.methods[name](self.client), name)

        def call(*args, **kwargs):
            answer = function(*args, **kwargs)
            self.everything.succeeded.add(name)
            return answer

        return call

    def refused(self, status, words, name, *args, **kwargs):
        """The server refuses the call with this status, and a text that has one of the words."""
        try:
            answer = getattr(self, name)(*args, **kwargs)
        except kfp_server_api.ApiException as error:
            assert error.status == status, f"{name}: {error.status} instead of {status}: {error.body}"
            assert any(word in str(error.body) for word in words), f"{name}: none of {words}: {error.body}"
            self.everything.refused.add(name)
            return
        raise AssertionError(f"{name} was not refused: {answer}")


def described():
    """What the code of the client says of its methods: verb, path, the parameters and where they go, body and answer."""
    for name, service in methods().items():
        code = inspect.getsource(getattr(service, name + FORM))
        path, verb = re.search(r"call_api\(\s*'([^']+)', '(\w+)'", code).groups()
        body = re.search(r"body_params = local_var_params\['(\w+)'\]", code)
        yield {
            "name": name, "service": service.__name__, "verb": verb, "path": path,
            "parameters": {
                **dict.fromkeys(re.findall(r"query_params\.append\(\('([^']+)'", code), "query"),
                **dict.fromkeys(re.findall(r"path_params\['([^']+)'\]", code), "path"),
                **dict.fromkeys(re.findall(r"local_var_files\['([^']+)'\]", code), "formData"),
            },
            "body": [body[1], re.search(rf":type {body[1]}: (\S+)", code)[1]] if body else None,
            "answer": re.search(r"response_type='([^']+)'", code)[1],
        }


def shapes():
    """The models: the JSON names of their fields, or the values of an enum."""
    for name, model in inspect.getmembers(models, inspect.isclass):
        yield {"name": name, "fields": sorted(model.attribute_map.values()), "values": getattr(model, "allowable_values", None)}


if __name__ == "__main__":
    json.dump({"methods": list(described()), "models": list(shapes())}, sys.stdout)
