"""Every RPC with its access rule and its HTTP routes, read from the compiled protos and from nothing else."""
import tempfile
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

RULE = "bulkhead.access.v1.rule"
HTTP = "google.api.http"
# Conditions on nothing in the request.
PLACELESS = ("cluster", "wherever", "authenticated", "public")


class Unreadable(Exception):
    """The protos do not compile, or have an RPC without a rule."""


@dataclass(frozen=True)
class Check:
    # The member of `where` that is set, and the field that it names; none for what is of no place.
    where: str
    path: str
    verb: str
    # The field that names the verb instead.
    verb_field: str
    resource: str
    when_empty: str
    name_field: str
    if_held: bool
    refers: str

    @property
    def required(self) -> bool:
        return not self.if_held and self.when_empty != "SKIP" and self.where not in PLACELESS

    def __str__(self) -> str:
        if not self.resource:
            return self.where
        words = [self.verb or f"<{self.verb_field}>", self.resource, self.where + (f"={self.path}" if self.path else "")]
        words += [f"name={self.name_field}"] if self.name_field else []
        words += [self.when_empty] if self.when_empty != "REFUSE" else []
        words += ["if held"] if self.if_held else []
        words += [f"refers {self.refers}"] if self.refers != "ITSELF" else []
        return " ".join(words)


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    # The field that the HTTP body is; `*` for the whole request, nothing for none.
    body: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Rpc:
    service: str
    name: str
    request: type
    answer: type
    asks_by_stream: bool
    answers_by_stream: bool
    checks: tuple
    routes: tuple

    @property
    def full_name(self) -> str:
        return f"{self.service}/{self.name}"

    def __str__(self) -> str:
        return self.full_name

    @property
    def rule(self) -> str:
        return "; ".join(map(str, self.checks))


class Protos:
    """The compiled protos."""

    def __init__(self, folder: Path):
        files = compiled(folder)
        self.pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            self.pool.Add(file)
        self.services = [f"{file.package}.{service.name}" for file in files.file for service in file.service]

    @cached_property
    def rpcs(self) -> list:
        return [rpc(self.pool, method) for service in self.services
                for method in self.pool.FindServiceByName(service).methods]


def compiled(folder: Path) -> descriptor_pb2.FileDescriptorSet:
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "protos"
        known = resources.files("grpc_tools") / "_proto"
        names = sorted(str(proto.relative_to(folder)) for proto in folder.rglob("*.proto"))
        if protoc.main(["protoc", f"-I{folder}", f"-I{known}", "--include_imports", f"--descriptor_set_out={file}", *names]):
            raise Unreadable(f"the protos in {folder} do not compile")
        return descriptor_pb2.FileDescriptorSet.FromString(file.read_bytes())


def rpc(pool, method) -> Rpc:
    # The class of options that this pool makes knows the extensions, which the one that protobuf brings does not.
    options = message_factory.GetMessageClass(pool.FindMessageTypeByName("google.protobuf.MethodOptions"))
    given = options.FromString(method.GetOptions().SerializeToString())
    rule, http = pool.FindExtensionByName(RULE), pool.FindExtensionByName(HTTP)
    if not given.HasExtension(rule):
        raise Unreadable(f"{method.full_name} has no {RULE}")
    return Rpc(
        service=method.containing_service.full_name, name=method.name,
        request=message_factory.GetMessageClass(method.input_type),
        answer=message_factory.GetMessageClass(method.output_type),
        asks_by_stream=method.client_streaming, answers_by_stream=method.server_streaming,
        checks=tuple(map(check, given.Extensions[rule].checks)),
        routes=tuple(routes(given.Extensions[http])) if given.HasExtension(http) else ())


def check(given) -> Check:
    def name(field):
        return given.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(given, field)].name

    where = given.WhichOneof("where")
    value = getattr(given, where)
    return Check(
        where=where, path=value if isinstance(value, str) else "", verb=given.verb, verb_field=given.verb_field,
        resource=given.resource, when_empty=name("when_empty"), name_field=given.name_field, if_held=given.if_held,
        refers=name("refers"))


def routes(rule):
    for binding in (rule, *rule.additional_bindings):
        verb = binding.WhichOneof("pattern")
        yield Route(verb.upper(), getattr(binding, verb), binding.body)
