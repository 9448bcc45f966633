"""The OpenAPI documents that the server serves, against the rules of OpenAPI v2 and against the generated clients.

It proves that both are valid, that they have every route of the protos, and that generators would make of them what
KFP's clients are: each method of kfp-server-api 2.17.3 and 1.8.5 has its operation with the same name, class, path,
parameters, body and answer, and each model has its definition with the same fields.
"""
import json
import os
import re
import subprocess
from pathlib import Path

from openapi_spec_validator import OpenAPIV2SpecValidator

import rest

# 1.8.5 is older than the API: a list of experiments was once called one experiment.
RENAMED = {"list_experiment": "list_experiments"}
WITHOUT_DEFINITION = {
    # Parameters of 1.8.5 had values of a type of their own, which are ordinary JSON by now.
    "ApiValue",
    # Errors have been of google.rpc.Status since; no method of 1.8.5 uses this.
    "ApiStatus",
    # Only queries have these, and OpenAPI v2 has no references there: no method uses the models.
    "AuthorizeRequestResources", "AuthorizeRequestVerb", "V2beta1DeletePropagationPolicy",
    # The null of JSON; no method uses this either.
    "ProtobufNullValue",
}
# In JSON an Any has `@type`; these are how it looks in protobuf's binary form, and are never there.
WITHOUT_FIELD = {"ProtobufAny": {"type_url", "value"}}
# What generators make of a body that has no name.
UNNAMED = re.compile(r"InlineObject\d*")


def snake(name):
    """As generators write an operation's id as a method's name."""
    return re.sub(r"([a-z\d])([A-Z])|([A-Z])(?=[A-Z][a-z])", lambda m: f"{m[1]}_{m[2]}" if m[1] else f"{m[3]}_", name).lower()


def pascal(name):
    """As generators write a definition's name as a class's name."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[_.]", name))


def client(variable):
    """The methods and models of a generated client, which lives in an environment of its own."""
    program = Path(__file__).with_name("generated.py")
    done = subprocess.run([os.environ[variable], "-W", "ignore", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class Document:
    def __init__(self, version):
        self.version, self.wrong = version, []
        self.json = rest.nobody().ok("GET", f"/apis/{version}/swagger.json")
        self.wrong += [f"not valid: {'/'.join(map(str, e.absolute_path))}: {e.message[:300]}"
                       for e in OpenAPIV2SpecValidator(self.json).iter_errors()]
        base = self.json.get("basePath", "").rstrip("/")
        self.operations = {(verb.upper(), base + path): operation for path, item in self.json["paths"].items()
                           for verb, operation in item.items() if verb != "parameters"}
        self.definitions = {pascal(name): definition for name, definition in self.json["definitions"].items()}

    def expect(self, what, is_, wanted):
        if is_ != wanted:
            self.wrong.append(f"{what}: {is_!r} instead of {wanted!r}")

    def expect_all(self, what, has, wanted):
        if missing := set(wanted) - set(has):
            self.wrong.append(f"{what}: without {sorted(missing)}")

    def type_of(self, schema):
        """What a generator calls the type."""
        if "$ref" in schema:
            return pascal(schema["$ref"].rsplit("/", 1)[1])
        return {"string": "str"}.get(schema.get("type"), schema.get("type", "object"))

    def routes(self, prefixes):
        for proto in Path(os.environ["PROTOS"]).rglob("*.proto"):
            for verb, path in re.findall(r'\b(get|post|put|patch|delete): "(/apis/[^"]+)"', proto.read_text()):
                if path.startswith(prefixes) and (verb.upper(), path) not in self.operations:
                    self.wrong.append(f"{proto.name}: {verb} {path} is not in the document")

    def method(self, method, models, name_of):
        """Holds a method of a client against its operation."""
        what = f"{method['name']}, {method['verb']} {method['path']}"
        operation = self.operations.get((method["verb"], method["path"]))
        if operation is None:
            self.wrong.append(f"{what}: not in the document")
            return
        self.expect(f"operation id of {what}", name_of(operation["operationId"]), RENAMED.get(method["name"], method["name"]))
        self.expect(f"tag of {what}", [tag + "Api" for tag in operation["tags"]], [method["service"]])
        parameters = {p["name"]: p["in"] for p in operation.get("parameters", [])}
        self.expect_all(f"parameters of {what}", parameters.items(), method["parameters"].items())
        self.expect(f"answer of {what}", self.type_of(operation["responses"]["200"]["schema"]), method["answer"])
        bodies = [p for p in operation.get("parameters", []) if p["in"] == "body"]
        if method["body"] is None:
            # A body that may be left out does no harm to who does not know of it.
            self.expect(f"body of {what}", [b["name"] for b in bodies if b.get("required")], [])
        elif not bodies:
            self.wrong.append(f"{what}: no body")
        elif UNNAMED.fullmatch(method["body"][1]):
            self.expect_all(f"body of {what}", bodies[0]["schema"].get("properties", {}), models[method["body"][1]]["fields"])
        else:
            self.expect(f"body of {what}", self.type_of(bodies[0]["schema"]), method["body"][1])

    def model(self, model):
        """Holds a model of a client against its definition."""
        definition = self.definitions.get(model["name"])
        if definition is None:
            self.wrong.append(f"no definition for {model['name']}")
            return
        self.expect_all(f"definition of {model['name']}", definition.get("properties", {}), set(model["fields"]) - WITHOUT_FIELD.get(model["name"], set()))
        self.expect_all(f"values of {model['name']}", definition.get("enum", []), model["values"] or [])

    def holds(self, client, name_of):
        models = {model["name"]: model for model in client["models"]}
        for method in client["methods"]:
            self.method(method, models, name_of)
        for name, model in models.items():
            if name not in WITHOUT_DEFINITION and not UNNAMED.fullmatch(name):
                self.model(model)
        return f"{self.version}: {len(self.operations)} operations, {len(client['methods'])} methods, {len(models)} models"


def without_version(operation_id):
    """1.8.5 was made before services were part of the ids, and before those of version 1 ended in V1."""
    return snake(re.sub(r"V1$", "", operation_id.rsplit("_", 1)[-1]))


new, old = Document("v2beta1"), Document("v1beta1")
new.routes(("/apis/v2beta1/",))
old.routes(("/apis/v1beta1/", "/apis/v1alpha1/"))
said = [new.holds(client("KFP2_PYTHON"), snake), old.holds(client("KFP1_PYTHON"), without_version)]
wrong = [f"{document.version}: {line}" for document in (new, old) for line in document.wrong]
assert not wrong, f"{len(wrong)} differences:\n" + "\n".join(wrong)
print("; ".join(said))
