"""What the server offers, by its own word: services by reflection, routes by its OpenAPI documents."""
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2

from matrix.calls import SECONDS
from matrix.rules import Protos, Rpc
from matrix.table import PUBLIC

# Both versions have the same messages.
REFLECTIONS = ("grpc.reflection.v1", "grpc.reflection.v1alpha")
DOCUMENTS = ("/apis/v1beta1/swagger.json", "/apis/v2beta1/swagger.json", "/apis/bulkhead/v1/swagger.json")


def reflected(channel, protos: Protos) -> tuple:
    """The RPCs of services that the protos lack, which are for everybody; and where the two do not fit."""
    found, missing = {}, []
    for reflection in REFLECTIONS:
        listed = {service.name for service in ask(channel, reflection, list_services="").list_services_response.service}
        missing += [f"{service} is in the protos, and {reflection} does not list it" for service in set(protos.services) - listed]
        found |= {service: reflection for service in listed - set(protos.services)}
    return [rpc for service, reflection in sorted(found.items()) for rpc in described(channel, reflection, service)], missing


def ask(channel, reflection: str, **question):
    call = channel.stream_stream(
        f"/{reflection}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
    return next(call(iter([reflection_pb2.ServerReflectionRequest(**question)]), timeout=SECONDS))


def described(channel, reflection: str, service: str) -> list:
    pool = descriptor_pool.DescriptorPool()
    answer = ask(channel, reflection, file_containing_symbol=service).file_descriptor_response
    for file in answer.file_descriptor_proto:
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(file))
    return [Rpc(service=service, name=method.name, request=message_factory.GetMessageClass(method.input_type),
                answer=message_factory.GetMessageClass(method.output_type), asks_by_stream=method.client_streaming,
                answers_by_stream=method.server_streaming, checks=(PUBLIC,), routes=())
            for method in pool.FindServiceByName(service).methods]


def unmet(http, met: set) -> list:
    """Routes of the server's OpenAPI documents that no cell was about, and documents that not everybody can have."""
    ways, lines = {way for _, way, _ in met}, []
    for document in DOCUMENTS:
        answer = http.call("GET", document, {})
        if answer.status != 200:
            lines.append(f"{document} is for everybody: {answer}")
            continue
        given = answer.json()
        base = given.get("basePath", "").rstrip("/")
        lines += [f"{verb.upper()} {base}{path} is in {document}, and no cell was about it"
                  for path, verbs in given["paths"].items() for verb in verbs
                  if verb != "parameters" and f"{verb.upper()} {base}{path}" not in ways]
    return lines
