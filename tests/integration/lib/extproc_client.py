"""Replays Envoy's message sequences with grpcio, an implementation of gRPC that shares nothing with the others here.

Usage: extproc_client.py PORT DESCRIPTORS   (a FileDescriptorSet of envoy.proto and health.proto)
Reads one JSON sequence per line from stdin: {"messages": [...], "cancel": bool}; writes the answers as one JSON line.
A message is {"kind": "request_headers", "headers": {...}, "body": "...", "end": bool, "config": {...}, "answers": N}:
after it N answers are read; -1 reads until a streamed body ends.
"""
import json
import queue
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

PACKAGE = "envoy.service.ext_proc.v3."


def load(path):
    files = descriptor_pb2.FileDescriptorSet()
    with open(path, "rb") as stored:
        files.ParseFromString(stored.read())
    pool = descriptor_pool.DescriptorPool()
    for one in files.file:
        pool.Add(one)
    factory = message_factory.MessageFactory(pool)

    def make(name):
        descriptor = pool.FindMessageTypeByName(name)
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        return factory.GetPrototype(descriptor)

    return make


def fill(message, step):
    kind = step["kind"]
    part = getattr(message, kind)
    part.SetInParent()
    if kind.endswith("_body"):
        part.body = step.get("body", "").encode()
        part.end_of_stream = step.get("end", False)
    else:
        fields = part.trailers if kind.endswith("_trailers") else part.headers
        for key, value in step.get("headers", {}).items():
            fields.headers.add(key=key, raw_value=value.encode())
        if not kind.endswith("_trailers"):
            part.end_of_stream = step.get("end", False)
    for key, value in step.get("config", {}).items():
        setattr(message.protocol_config, key, value)
    return message


def is_end(answer):
    kind = answer.WhichOneof("response")
    if kind not in ("request_body", "response_body"):
        return kind == "immediate_response"
    return getattr(answer, kind).response.body_mutation.streamed_response.end_of_stream


def run(process, make, sequence):
    outgoing = queue.Queue()
    call = process(iter(outgoing.get, None))
    answers = []
    for step in sequence["messages"]:
        outgoing.put(fill(make(PACKAGE + "ProcessingRequest")(), step))
        wanted = step.get("answers", 1)
        while wanted != 0:
            answer = next(call)
            answers.append(json_format.MessageToDict(answer, preserving_proto_field_name=True))
            wanted = wanted - 1 if wanted > 0 else (0 if is_end(answer) else -1)
    if sequence.get("cancel"):
        call.cancel()
    outgoing.put(None)
    return {"answers": answers, "status": call.code().name}


def main():
    port, descriptors = sys.argv[1:]
    make = load(descriptors)
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    process = channel.stream_stream(
        "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=make(PACKAGE + "ProcessingResponse").FromString,
    )
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=make("grpc.health.v1.HealthCheckResponse").FromString,
    )
    for line in sys.stdin:
        sequence = json.loads(line)
        if sequence.get("health"):
            result = {"health": check(make("grpc.health.v1.HealthCheckRequest")()).status}
        else:
            result = run(process, make, sequence)
        print(json.dumps(result), flush=True)


main()
