"""Hold the log-probabilities and prompts of a running `gpt serve` against transformers
on the exported run.

    pip install torch transformers
    gpt export --run RUN --to folder
    gpt serve --run RUN &
    python serve/python/check_transformers.py http://127.0.0.1:8080/v1 folder

Texts are drawn by both endpoints with many settings; transformers reads their tokens in
float64. Every log-probability, of the drawn token, of its alternatives and of the
prompt, has to agree within 1e-4. If the run has a chat template, /v1/tokenize has to
give the ids of apply_chat_template. It exits 1 at the first failure.
"""

import json
import random
import sys
import urllib.request

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

base, folder = sys.argv[1], sys.argv[2]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()


def post(path, body):
    r = urllib.request.Request(base + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(r))


worst, compared = 0.0, 0


def same(what, got, want):
    global worst, compared
    worst, compared = max(worst, abs(got - float(want))), compared + 1
    if abs(got - float(want)) > 1e-4:
        sys.exit(f"FAILED {what}: {got}, transformers {float(want)}")


def check(what, prompt, steps, logprobs, alternatives):
    """Compares what was drawn after a prompt: log-probabilities and alternatives of each token."""
    ids = prompt + [s["id"] for s in steps]
    with torch.no_grad():
        values = torch.log_softmax(model(torch.tensor([ids])).logits[0], -1)[len(prompt) - 1 :]
    for k, s in enumerate(steps):
        same(f"{what}, token {k}", logprobs[k], values[k, s["id"]])
        best = values[k].topk(len(alternatives[k])).values
        for got, want in zip(sorted(alternatives[k], reverse=True), best):
            same(f"{what}, alternatives of token {k}", got, want)


name = next(m["id"] for m in json.load(urllib.request.urlopen(base + "/models"))["data"] if not m["reward"])
random.seed(1)
texts = ["Mia was", "Once there was a busy boy named", "Max", "Ünïcode, 1,024?  two  spaces\n", "The story does not say."]
chat = bool(tokenizer.chat_template)
for i in range(40):
    text = random.choice(texts)
    body = {"model": name, "seed": i, "candidates": 1, "max_tokens": random.choice([1, 10, 60]),
            "temperature": random.choice([0, 0.7, 1, 1.5]), "top_p": random.choice([1, 0.8]), "top_k": random.choice([0, 20])}
    prompt = [tokenizer.eos_token_id] + tokenizer(text, add_special_tokens=False).input_ids
    c = post("/completions", {**body, "prompt": text, "echo": True, "logprobs": 4})["choices"][0]
    l, known = c["logprobs"], len(prompt) - 1
    # The prompt's own, then those of the drawn tokens. The drawn token is added to its
    # alternatives if it isn't one of the likeliest, so only the likeliest are compared.
    likeliest = [sorted(t.values(), reverse=True)[:4] for t in l["top_logprobs"]]
    check(f"echo of {text!r}", prompt[:1], [{"id": id} for id in prompt[1:]], l["token_logprobs"][:known], likeliest[:known])
    check(f"after {text!r}", prompt, c.get("steps", []), l["token_logprobs"][known:], likeliest[known:])
    messages = [{"role": "user", "content": text}]
    if i % 2:
        messages = [{"role": "system", "content": "Be kind."}, *messages, {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "And now?"}]
    ids = post("/tokenize", {"model": name, "messages": messages})["ids"]
    if chat:
        want = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=False)
        if ids != want:
            sys.exit(f"FAILED template: {ids}, transformers {want}")
    c = post("/chat/completions", {**body, "messages": messages, "logprobs": True, "top_logprobs": 5})["choices"][0]
    l = c["logprobs"]["content"]
    # Of a dialogue in plain text the space before the answer is cut off, its token kept;
    # a text that a stop text ended has fewer tokens than were drawn.
    check(f"chat {messages}", ids, c.get("steps", [])[: len(l)], [t["logprob"] for t in l], [[a["logprob"] for a in t["top_logprobs"]] for t in l])
print(f"{compared} log-probabilities agree with transformers, the worst within {worst:.2g}" + (", and 40 prompts with its chat template" if chat else ""))
