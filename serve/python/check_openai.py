"""Drive a running `gpt serve` with OpenAI's own Python client.

    pip install openai
    gpt serve &
    python serve/python/check_openai.py http://127.0.0.1:8080/v1

Every call is the client's; answers are parsed by its types in strict mode, so a
member that is missing or of another type fails. It exits 1 at the first failure.
"""

import sys
import threading
import time

import openai
from openai.types import Completion, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk

base = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080/v1"
client = openai.OpenAI(base_url=base, api_key="any", max_retries=0, timeout=60)


def strict(value, kind):
    """Validates what the server sent against the client's type: the client itself
    constructs its types without checking."""
    kind.model_validate(value.model_dump(), strict=True)
    return value


def check(what, ok, found=None):
    if not ok:
        sys.exit(f"FAILED {what}: {found}")
    print("ok", what)


def raises(what, kind, call, **expected):
    try:
        call()
    except kind as e:
        body = e.body or {}
        check(what, all(body.get(k) == v for k, v in expected.items()) and {"message", "type", "param", "code"} <= set(body), body)
        return e
    check(what, False, "no error")


models = client.models.list().data
model = strict(models[0], Model).id
check("models", client.models.retrieve(model).id == model)
raises("model not found", openai.NotFoundError, lambda: client.models.retrieve("nothing"), code="model_not_found")

question = [{"role": "system", "content": "You tell stories."}, {"role": "user", "content": "Tell me about Mia."}]


def chat(**more):
    return client.chat.completions.create(**{"model": model, "messages": question, "max_tokens": 20, "seed": 7, **more})


a = strict(chat(), ChatCompletion)
check("chat", a.choices[0].message.role == "assistant" and a.object == "chat.completion" and a.choices[0].finish_reason in ("stop", "length"), a)
check("usage", a.usage.total_tokens == a.usage.prompt_tokens + a.usage.completion_tokens and 0 < a.usage.completion_tokens <= 20, a.usage)
b = chat()
check("seed", b.choices[0].message.content == a.choices[0].message.content and b.system_fingerprint == a.system_fingerprint)
check("another seed", chat(seed=8).choices[0].message.content != a.choices[0].message.content)
check("no seed", len({chat(seed=None).choices[0].message.content for _ in range(5)}) > 1)
check("temperature 0", len({chat(temperature=0, seed=i).choices[0].message.content for i in range(3)}) == 1)

chunks = [strict(c, ChatCompletionChunk) for c in chat(stream=True, stream_options={"include_usage": True})]
text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
check("stream equals whole", text == a.choices[0].message.content, text)
check("one id", len({(c.id, c.created, c.model) for c in chunks}) == 1)
check("usage is last", chunks[-1].usage.completion_tokens == a.usage.completion_tokens and chunks[-1].choices == [] and all(c.usage is None for c in chunks[:-1]))
check("role comes first", chunks[0].choices[0].delta.role == "assistant" and chunks[0].choices[0].delta.content == "")
check("reason comes last", [c.choices[0].finish_reason for c in chunks[:-1]][-1] == a.choices[0].finish_reason)

n = strict(chat(n=3, logprobs=True, top_logprobs=2), ChatCompletion)
check("n", [c.index for c in n.choices] == [0, 1, 2])
check("first of n", n.choices[0].message.content == a.choices[0].message.content)
for c in n.choices:
    tokens = c.logprobs.content
    # A text that ends within a character has U+FFFD in its place.
    whole = b"".join(bytes(t.bytes or []) for t in tokens).decode(errors="replace")
    check("bytes of tokens are the text", whole == c.message.content, (whole, c.message.content))
    check("log-probabilities", all(t.logprob <= 0 and len(t.top_logprobs) == 2 and t.top_logprobs[0].logprob >= t.top_logprobs[1].logprob for t in tokens))
streamed = {}
for c in chat(n=3, logprobs=True, top_logprobs=2, stream=True):
    for choice in c.choices:
        if choice.logprobs:
            streamed.setdefault(choice.index, []).extend(choice.logprobs.content)
check("streamed log-probabilities", all(streamed[i] == n.choices[i].logprobs.content for i in range(3)))

with client.chat.completions.stream(model=model, messages=question, max_tokens=20, seed=7) as events:
    for _ in events:
        pass
    check("the client's own accumulation", events.current_completion_snapshot.choices[0].message.content == a.choices[0].message.content)

stop = a.choices[0].message.content[3:5]
s = chat(stop=[stop])
check("stop", s.choices[0].message.content == a.choices[0].message.content.split(stop)[0] and s.choices[0].finish_reason == "stop", s)
check("max_completion_tokens", client.chat.completions.create(model=model, messages=question, max_completion_tokens=3, seed=7).usage.completion_tokens <= 3)
check("parts", chat(messages=[question[0], {"role": "user", "content": [{"type": "text", "text": question[1]["content"]}]}]).choices[0].message.content == a.choices[0].message.content)
only = client.chat.completions.create(model=model, messages=question, max_tokens=3, logit_bias={"65": 100}, temperature=0, logprobs=True)
check("logit_bias", len({t.token for t in only.choices[0].logprobs.content}) == 1, only)
check("penalties", chat(presence_penalty=2, frequency_penalty=2).usage.completion_tokens > 0)
check("extensions", chat(temperature=1.5, extra_body={"top_k": 1, "min_p": 0.1, "repetition_penalty": 1.1}).usage.completion_tokens > 0)

c = strict(client.completions.create(model=model, prompt="Mia was", max_tokens=10, seed=1, logprobs=3, echo=True), Completion)
check("completion", c.choices[0].text.startswith("Mia was") and c.object == "text_completion", c)
l = c.choices[0].logprobs
check("its log-probabilities", len(l.tokens) == len(l.token_logprobs) == len(l.top_logprobs) == len(l.text_offset), l)
c = client.completions.create(model=model, prompt=["Mia was", "Max had"], n=2, best_of=3, max_tokens=5)
check("prompts, n and best_of", [x.index for x in c.choices] == [0, 1, 2, 3] and c.usage.completion_tokens <= 2 * 3 * 5, c)
c = client.completions.create(model=model, prompt=[1, 2, 3], max_tokens=2)
check("prompt of ids", c.usage.prompt_tokens == 3, c)
parts = [p for p in client.completions.create(model=model, prompt="Mia was", max_tokens=10, seed=1, stream=True)]
for p in parts:
    # The published description has no null here; the API itself sends it in all chunks but the last.
    p.choices[0].finish_reason = p.choices[0].finish_reason or "stop"
    strict(p, Completion)
check("completion streamed", "".join(p.choices[0].text for p in parts) == client.completions.create(model=model, prompt="Mia was", max_tokens=10, seed=1).choices[0].text)

raises("temperature", openai.BadRequestError, lambda: chat(temperature=3), param="temperature", type="invalid_request_error")
raises("tools", openai.BadRequestError, lambda: chat(tools=[{"type": "function", "function": {"name": "f"}}]), param="tools", code="unsupported_parameter")
raises("response_format", openai.BadRequestError, lambda: chat(response_format={"type": "json_object"}), param="response_format")
raises("context length", openai.BadRequestError, lambda: chat(max_tokens=10**6), code="context_length_exceeded")
raises("unknown model", openai.NotFoundError, lambda: chat(model="gpt-4"), param="model", code="model_not_found")
raises("image", openai.BadRequestError, lambda: chat(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]), param="messages[0].content[0]")

# A client that leaves in the middle of a stream, and many at a time.
with chat(stream=True, max_tokens=None) as answer:
    next(iter(answer))
check("abort", chat().choices[0].message.content == a.choices[0].message.content)
results = []
patient = client.with_options(max_retries=10)
threads = [threading.Thread(target=lambda: results.append(patient.chat.completions.create(model=model, messages=question, max_tokens=20, seed=7).choices[0].message.content)) for _ in range(24)]
start = time.time()
for t in threads:
    t.start()
for t in threads:
    t.join()
check("24 at a time give the same text", set(results) == {a.choices[0].message.content} and len(results) == 24, results)
print("all passed")
