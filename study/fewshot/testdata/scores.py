"""Writes scores.json: log-likelihoods of choices as transformers computes them, one whole text at a time.

Weights follow from a formula that the test has too, tokens are bytes, 256 is the end of text before each prompt.
Run with torch and transformers installed: python scores.py > scores.json
"""
import json

import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

SIZE = dict(n_layer=2, n_head=2, n_embd=16, n_positions=128, vocab_size=257)
TRIALS = [
    {"shots": [("hot", "cold"), ("big", "small"), ("up", "down")], "question": "wet", "choices": ["dry", "wet through", "a"]},
    {"shots": [("1 2", "3"), ("2 2", "4"), ("5 1", "6")], "question": "3 4", "choices": ["7", "8", "12", "34", "1 1"]},
    {"shots": [("a b", "b a"), ("c d", "d c"), ("e é", "é e")], "question": "x y", "choices": ["y x", "x y"]},
]


def noise(i, k):
    return ((i * 2654435761 + k * 40503) % 2**32) / 2**32 - 0.5


model = GPT2LMHeadModel(GPT2Config(**SIZE)).eval()
for name, p in model.transformer.named_parameters():
    k = sum(name.encode())
    values = [noise(i, k) for i in range(p.numel())]
    if p.dim() == 1 and name.endswith("weight"):
        values = [1 + x for x in values]
    p.data = torch.tensor(values, dtype=torch.float64).float().reshape(p.shape)


def log_likelihood(prompt, choice):
    before, after = [256, *prompt.encode()], list(choice.encode())
    with torch.no_grad():
        logs = model(torch.tensor([before + after])).logits[0].double().log_softmax(-1)
    return sum(logs[len(before) - 1 + i, t].item() for i, t in enumerate(after)), len(after)


trials = []
for t in TRIALS:
    scores = []
    for shots in 0, 1, 3:
        prompt = "".join(f"Q: {q}\nA: {a}.\n" for q, a in t["shots"][:shots]) + f"Q: {t['question']}\nA:"
        for choice in t["choices"]:
            total, n = log_likelihood(prompt, " " + choice)
            alone, _ = log_likelihood("Q: \nA:", " " + choice)
            scores.append({"shots": shots, "sum": total, "per-token": total / n, "unconditional": total - alone})
    trials.append({**t, "scores": scores})
print(json.dumps({"transformers": transformers.__version__, "torch": torch.__version__, "trials": trials}, indent=1, ensure_ascii=False))
