"""Hold what a running `gpt serve` answers against OpenAI's published description of
its API (openapi.yaml of github.com/openai/openai-openapi).

    pip install pyyaml jsonschema
    python serve/python/check_openapi.py http://127.0.0.1:8080/v1 openapi.yaml [cut.yaml]

Every answer and every chunk of a few hundred random requests, with random faults, has
to be valid. With a third argument the description, cut to this server's operations,
is written there: schemathesis can be run on it.
"""

import copy
import json
import random
import sys
import urllib.error
import urllib.request

import yaml
from jsonschema import Draft202012Validator

base, path = sys.argv[1], sys.argv[2]
spec = yaml.safe_load(open(path))


def nullable(schema):
    """The description says nullable, which JSON Schema doesn't know."""
    if isinstance(schema, dict):
        for v in schema.values():
            nullable(v)
        if schema.get("nullable") is True:
            if "type" in schema:
                schema["type"] = [schema["type"], "null"]
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
    elif isinstance(schema, list):
        for v in schema:
            nullable(v)


nullable(spec["components"])
operations = {"/models": "get", "/models/{model}": "get", "/completions": "post", "/chat/completions": "post"}


def validator(name):
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": spec["components"]})


kinds = {n: validator(n) for n in (
    "ListModelsResponse", "Model", "CreateCompletionResponse", "CreateChatCompletionResponse",
    "CreateChatCompletionStreamResponse", "ErrorResponse")}
counts = {}


def valid(kind, value, asked):
    counts[kind] = counts.get(kind, 0) + 1
    for e in kinds[kind].iter_errors(value):
        sys.exit(f"{kind}: {e.json_path}: {e.message}\nasked {asked}\nanswered {json.dumps(value)[:2000]}")


def real(answer):
    """The description has one schema for whole texts and chunks. It demands a reason to
    end of each, even of one that doesn't end, and allows no null for it; nor for the
    first token of an echo, before which nothing comes. The API itself sends null in
    these two places, and so does this server."""
    for c in answer["choices"]:
        c["finish_reason"] = c["finish_reason"] or "stop"
        if l := c.get("logprobs"):
            l["token_logprobs"] = [p or 0.0 for p in l["token_logprobs"]]
            l["top_logprobs"] = [t or {} for t in l["top_logprobs"]]
    return answer


def call(path, body=None):
    r = urllib.request.Request(base + path, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(r) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


models = json.loads(call("/models")[1])
valid("ListModelsResponse", models, "/models")
model = models["data"][0]["id"]
valid("Model", json.loads(call("/models/" + model)[1]), model)
valid("ErrorResponse", json.loads(call("/models/nothing")[1]), "nothing")
random.seed(1)
pick = random.choice
for _ in range(300):
    body = {"model": model, "seed": random.getrandbits(31), "max_tokens": random.randint(1, 12), "temperature": pick([0, 1, 2])}
    for k, v in {
        "n": [1, 2, 3], "stop": ["e", ["a", "."], None], "logit_bias": [{"5": -100}, {}], "presence_penalty": [1], "top_p": [0, 0.5],
        "frequency_penalty": [-1], "stream": [True, False], "user": ["somebody"],
        # Faults.
        "temperature": [5, "hot"], "tools": [[{"type": "function"}]], "best_of": [0], "zzz": [1],
    }.items():
        if random.random() < (0.5 if k in ("n", "stop", "stream") else 0.1):
            body[k] = pick(v)
    if body.get("stream") and random.random() < 0.5:
        body["stream_options"] = {"include_usage": True}
    chat = random.random() < 0.6
    if chat:
        body["messages"] = pick([[{"role": "user", "content": "Hi"}], [{"role": "developer", "content": "x"}, {"role": "user", "content": [{"type": "text", "text": "y"}]}], []])
        if random.random() < 0.5:
            body |= {"logprobs": True, "top_logprobs": random.randint(0, 5)}
    else:
        body["prompt"] = pick(["Mia", ["Mia", "Max"], [1, 2], [[1], [2, 3]], -1])
        body["logprobs"] = pick([None, 0, 3])
        body["echo"] = pick([True, False])
    status, text = call("/chat/completions" if chat else "/completions", body)
    if status >= 500:
        sys.exit(f"{status} {text}\nasked {body}")
    if status != 200:
        valid("ErrorResponse", json.loads(text), body)
    elif not body.get("stream"):
        answer = json.loads(text)
        valid("CreateChatCompletionResponse", answer, body) if chat else valid("CreateCompletionResponse", real(answer), body)
    else:
        events = text.removesuffix("\n\n").split("\n\n")
        if events.pop() != "data: [DONE]":
            sys.exit(f"no [DONE] at the end: {text[-300:]}")
        for e in events:
            chunk = json.loads(e.removeprefix("data: "))
            if chat:
                if chunk.get("usage", 0) is None:
                    del chunk["usage"]  # the description allows null in its words only
                valid("CreateChatCompletionStreamResponse", chunk, body)
                continue
            valid("CreateCompletionResponse", real(chunk), body)
print("valid:", ", ".join(f"{n} {k}" for k, n in counts.items()))

# What is refused, by the names of requests, messages and parts.
refused = {
    "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls", "response_format", "modalities", "audio",
    "prediction", "reasoning_effort", "verbosity", "store", "metadata", "web_search_options", "suffix", "moderation",
    "prompt_cache_options", "tool_calls"}
kinds_of_messages = ("Developer", "System", "User", "Assistant")


def offered(schema):
    """Takes out of a request's schema what the server refuses."""
    if isinstance(schema, list):
        return [offered(v) for v in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: offered(v) for k, v in schema.items()}
    if isinstance(out.get("properties"), dict):
        out["properties"] = {k: v for k, v in out["properties"].items() if k not in refused}
    return out


def reachable(value, found):
    """Collects the names of the components that a value refers to, at any depth."""
    if isinstance(value, list):
        for v in value:
            reachable(v, found)
    elif isinstance(value, dict):
        for k, v in value.items():
            if k == "$ref":
                _, _, kind, name = v.split("/")
                if (kind, name) not in found:
                    found.add((kind, name))
                    reachable(spec["components"][kind][name], found)
            else:
                reachable(v, found)


if len(sys.argv) > 3:
    cut = {k: copy.deepcopy(spec[k]) for k in ("openapi", "info")}
    cut["servers"] = [{"url": base}]
    cut["paths"] = {}
    schemas = spec["components"]["schemas"]
    for name in ("CreateChatCompletionRequest", "CreateCompletionRequest", "CreateModelResponseProperties", "ModelResponseProperties", "ChatCompletionRequestAssistantMessage"):
        schemas[name] = offered(schemas[name])
    schemas["ChatCompletionRequestMessage"] = {"oneOf": [{"$ref": f"#/components/schemas/ChatCompletionRequest{k}Message"} for k in kinds_of_messages]}
    for k in kinds_of_messages:
        name = f"ChatCompletionRequest{k}MessageContentPart"
        if name in schemas:
            schemas[name] = {"$ref": "#/components/schemas/ChatCompletionRequestMessageContentPartText"}
    error = {"description": "error", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}}
    for p, method in operations.items():
        operation = copy.deepcopy(spec["paths"][p][method])
        operation["responses"] = {"200": operation["responses"]["200"]} | {s: error for s in ("400", "404", "405", "413", "415", "429")}
        if method == "post":
            operation["responses"]["200"]["content"]["text/event-stream"] = {}
        for k in ("security", "x-oaiMeta", "parameters" if method == "post" else "security"):
            operation.pop(k, None)
        cut["paths"][p] = {method: operation}
    found = set()
    reachable(cut["paths"], found)
    cut["components"] = {}
    for kind, name in sorted(found):
        cut["components"].setdefault(kind, {})[name] = spec["components"][kind][name]
    yaml.safe_dump(cut, open(sys.argv[3], "w"))
