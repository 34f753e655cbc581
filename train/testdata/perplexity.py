"""Writes perplexity.json: perplexities that transformers computes, with strided sliding windows.

Weights and tokens follow from formulas that the test has too, so none are stored.
"guide" is the arithmetic of Hugging Face's "Perplexity of fixed-length models", which
weighs a window by its predicted tokens less one; "exact" takes each token once, as the
definition above it says. Run with torch and transformers installed:
python perplexity.py > perplexity.json
"""
import json
import math

import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel, OpenAIGPTConfig, OpenAIGPTLMHeadModel

SIZE = dict(n_layer=2, n_head=2, n_embd=16, n_positions=16, vocab_size=40)
TOKENS = [(i * i * 7 + i * 3) % 40 for i in range(101)]


def noise(i, k):
    return ((i * 2654435761 + k * 40503) % 2**32) / 2**32 - 0.5


def fill(model):
    for name, p in model.transformer.named_parameters():
        k = sum(name.encode())
        values = [noise(i, k) for i in range(p.numel())]
        if p.dim() == 1 and name.endswith("weight"):
            values = [1 + x for x in values]
        p.data = torch.tensor(values, dtype=torch.float64).float().reshape(p.shape)
    return model.eval()


def windows(stride):
    previous = 0
    for begin in range(0, len(TOKENS), stride):
        end = min(begin + SIZE["n_positions"], len(TOKENS))
        yield begin, end, end - previous
        previous = end
        if end == len(TOKENS):
            return


def perplexities(model, stride):
    guide = guide_tokens = exact = exact_tokens = 0
    for begin, end, new in windows(stride):
        ids = torch.tensor([TOKENS[begin:end]])
        labels = ids.clone()
        labels[:, :-new] = -100
        with torch.no_grad():
            out = model(ids, labels=labels)
        if new > 1:  # else the guide's weight is 0, and its loss nan without overlap
            guide += out.loss.item() * (new - 1)
            guide_tokens += new - 1
        logs = out.logits[0].double().log_softmax(-1)
        for at in range(max(1, end - begin - new), end - begin):
            exact -= logs[at - 1, ids[0, at]].item()
            exact_tokens += 1
    return {"stride": stride, "tokens": exact_tokens, "exact": math.exp(exact / exact_tokens), "guide": math.exp(guide / guide_tokens)}


cases = []
for arch, model in ("gpt2", GPT2LMHeadModel(GPT2Config(**SIZE))), ("gpt1", OpenAIGPTLMHeadModel(OpenAIGPTConfig(**SIZE))):
    cases += [{"arch": arch, **perplexities(fill(model), s)} for s in (2, 5, 8, 15, 16)]
print(json.dumps({"transformers": transformers.__version__, "torch": torch.__version__, "cases": cases}, indent=1))
