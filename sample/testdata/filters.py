"""Writes filters.json: what transformers' own processors, in its own order, make of logits.

Run with torch and transformers installed: python filters.py > filters.json
"""
import json
import random

import torch
import transformers
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel

torch.manual_seed(0)
rng = random.Random(0)
model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=1, n_embd=4, n_positions=8, vocab_size=8))


def processors(options):
    config = GenerationConfig(do_sample=True, **options)
    return model._get_logits_processor(config, input_ids_seq_length=1, device="cpu", model_kwargs={})


def case(logits, read, options):
    scores = torch.tensor([logits], dtype=torch.float32)
    out = processors(options)(torch.tensor([read]), scores.clone())[0]
    probs = out.softmax(-1)
    kept = [i for i in range(len(logits)) if out[i] != -float("inf")]
    return {"logits": scores[0].tolist(), "read": read, "options": options,
            "kept": kept, "probs": [probs[i].item() for i in kept]}


def settings():
    options = {"top_k": 0}
    if rng.random() < 0.6:
        options["repetition_penalty"] = rng.choice([0.8, 1.2, 1.7])
    if rng.random() < 0.6:
        options["temperature"] = rng.choice([0.3, 0.7, 1.5, 3.0])
    if rng.random() < 0.5:
        options["top_k"] = rng.choice([1, 2, 3, 5, 10, 100])
    if rng.random() < 0.5:
        options["top_p"] = rng.choice([0.05, 0.3, 0.6, 0.9, 0.99])
    if rng.random() < 0.5:
        options["min_p"] = rng.choice([0.02, 0.1, 0.35, 1.0])
    return options


cases = []
for size in [1, 2, 5, 12, 40] * 40:
    logits = [rng.gauss(0, 2.5) for _ in range(size)]
    if rng.random() < 0.3:
        logits = [round(x) for x in logits]  # ties
    read = [rng.randrange(size) for _ in range(rng.randrange(1, 6))]
    cases.append(case(logits, read, settings()))
everything = {"repetition_penalty": 1.1, "temperature": 0.5, "top_k": 3, "top_p": 0.5, "min_p": 0.1}
print("{" + f'"transformers": "{transformers.__version__}", "torch": "{torch.__version__}",')
print('"order": ' + json.dumps([type(p).__name__ for p in processors(everything)]) + ",")
print('"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}")
