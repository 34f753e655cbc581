"""Trains nanoGPT's configuration for CPUs on a text, by characters, on PyTorch.

usage: nanogpt.py SETTING, a JSON object (see timetoloss.go). Writes a line of
JSON for every evaluation and ends with the first whose validation loss is at
most the target, or after all iterations.

The hyperparameters are those that nanoGPT's readme and configuration give for
"I only have a macbook": 4 layers, 4 heads, 128 wide, block 64, batch 12, 2,000
iterations, AdamW at 1e-3 falling to 1e-4 behind a warm-up over 100, beta2 0.99,
weight decay 0.1, clipping at 1, no dropout, no biases; every 250 iterations the
mean loss of 20 random batches of each split.
"""

import json
import math
import sys
import time

START = time.perf_counter()

import torch

import pytorch

ITERATIONS, WARMUP, BLOCK, BATCH = 2000, 100, 64, 12
EVAL_INTERVAL, EVAL_BATCHES = 250, 20
MAX_RATE, MIN_RATE = 1e-3, 1e-4


def rate(i):
    if i < WARMUP:
        return MAX_RATE * (i + 1) / (WARMUP + 1)
    progress = (i - WARMUP) / (ITERATIONS - WARMUP)
    return MIN_RATE + (MAX_RATE - MIN_RATE) * (1 + math.cos(math.pi * progress)) / 2


def main():
    s = json.loads(sys.argv[1])
    with open(s["text"], encoding="utf-8") as f:
        text = f.read()
    number = {c: i for i, c in enumerate(sorted(set(text)))}
    ids = torch.tensor([number[c] for c in text], dtype=torch.long)
    cut = int(0.9 * len(ids))
    splits = {"train": ids[:cut], "val": ids[cut:]}

    def batch(split):
        d = splits[split]
        at = torch.randint(len(d) - BLOCK, (BATCH,))
        return torch.stack([d[i : i + BLOCK] for i in at]), torch.stack([d[i + 1 : i + 1 + BLOCK] for i in at])

    model, run, opt = pytorch.build(
        dict(s, layers=4, heads=4, width=128, context=BLOCK, vocab=len(number), bias=False, learning_rate=MAX_RATE, beta2=0.99, weight_decay=0.1)
    )
    torch.manual_seed(s["seed"])

    @torch.no_grad()
    def evaluate():
        model.eval()
        losses = {k: sum(run(*batch(k)).item() for _ in range(EVAL_BATCHES)) / EVAL_BATCHES for k in splits}
        model.train()
        return losses

    for i in range(ITERATIONS + 1):
        if i % EVAL_INTERVAL == 0:
            losses = evaluate()
            pytorch.say(step=i, loss=losses["val"], train=losses["train"], seconds=time.perf_counter() - START, version=torch.__version__)
            if losses["val"] <= s["target"]:
                return
        if i == ITERATIONS:
            return
        for group in opt.param_groups:
            group["lr"] = rate(i)
        loss = run(*batch("train"))
        opt.zero_grad(set_to_none=True)
        loss.backward()
        pytorch.clip(model, s)
        opt.step()


if __name__ == "__main__":
    main()
