"""Times training steps of a GPT on PyTorch.

usage: pytorch.py SETTING, a JSON object (see pytorch.go). Reads lines
"step SECONDS" and answers each with a line of JSON.

The model is GPT-2's (pre-LN, learned positions, GELU in its tanh form, tied
head), written as PyTorch's users write it for speed: one matrix for queries,
keys and values, F.scaled_dot_product_attention where there is one, AdamW over
two groups of parameters, gradients set to None.
"""

import json
import math
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

SDPA = getattr(F, "scaled_dot_product_attention", None)


class Attention(nn.Module):
    def __init__(self, width, heads, block, bias, sdpa):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.out = nn.Linear(width, width, bias=bias)
        self.heads, self.sdpa = heads, sdpa
        if not sdpa:
            mask = torch.full((block, block), float("-inf")).triu(1)
            self.register_buffer("mask", mask, persistent=False)

    def forward(self, x):
        B, T, D = x.shape
        q, k, v = (y.view(B, T, self.heads, D // self.heads).transpose(1, 2) for y in self.qkv(x).split(D, dim=2))
        if self.sdpa:
            y = SDPA(q, k, v, is_causal=True)
        else:
            scores = q @ k.transpose(2, 3) * (1 / math.sqrt(D // self.heads)) + self.mask[:T, :T]
            y = F.softmax(scores, dim=-1) @ v
        return self.out(y.transpose(1, 2).reshape(B, T, D))


class Block(nn.Module):
    def __init__(self, width, heads, block, bias, sdpa):
        super().__init__()
        self.norm1, self.norm2 = LayerNorm(width, bias), LayerNorm(width, bias)
        self.attention = Attention(width, heads, block, bias, sdpa)
        self.up = nn.Linear(width, 4 * width, bias=bias)
        self.down = nn.Linear(4 * width, width, bias=bias)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class LayerNorm(nn.Module):
    def __init__(self, width, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


class GPT(nn.Module):
    def __init__(self, layers, heads, width, block, vocab, bias, sdpa):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocab, width), nn.Embedding(block, width)
        self.blocks = nn.ModuleList(Block(width, heads, block, bias, sdpa) for _ in range(layers))
        self.norm = LayerNorm(width, bias)
        self.register_buffer("range", torch.arange(block), persistent=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                std = 0.02 / math.sqrt(2 * layers) if name.endswith(("out.weight", "down.weight")) else 0.02
                nn.init.normal_(p, std=std)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def forward(self, ids, targets):
        x = self.tokens(ids) + self.positions(self.range[: ids.shape[1]])
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.tokens.weight)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


def optimiser(model, s):
    groups = [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": s["weight_decay"]},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    how = {"fused": {"fused": True}, "foreach": {"foreach": True}, "loop": {"foreach": False}}[s["optimiser"]]
    return torch.optim.AdamW(groups, lr=s["learning_rate"], betas=(0.9, s["beta2"]), **how)


def clip(model, s):
    try:
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=s["optimiser"] != "loop")
    except TypeError:  # PyTorch 1
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)


def build(s):
    torch.set_num_threads(s["threads"])
    torch.manual_seed(s.get("seed", 1))
    sdpa = s["attention"] == "sdpa"
    if sdpa and SDPA is None:
        raise SystemExit("this PyTorch has no F.scaled_dot_product_attention")
    model = GPT(s["layers"], s["heads"], s["width"], s["context"], s["vocab"], s["bias"], sdpa)
    run = model
    if s["compile"] == "default":
        run = torch.compile(model)
    elif s["compile"]:
        run = torch.compile(model, mode=s["compile"])
    return model, run, optimiser(model, s)


def main():
    s = json.loads(sys.argv[1])
    model, run, opt = build(s)
    batches = [
        (torch.randint(s["vocab"], (s["batch"], s["context"])), torch.randint(s["vocab"], (s["batch"], s["context"])))
        for _ in range(16)
    ]

    def step(i):
        ids, targets = batches[i % len(batches)]
        t0 = time.perf_counter()
        loss = run(ids, targets)
        t1 = time.perf_counter()
        opt.zero_grad(set_to_none=True)
        loss.backward()
        t2 = time.perf_counter()
        clip(model, s)
        opt.step()
        value = loss.item()
        return t1 - t0, t2 - t1, time.perf_counter() - t2, value

    for i in range(3):
        step(i)
    say(
        version=torch.__version__,
        threads=torch.get_num_threads(),
        precision=torch.get_float32_matmul_precision() if hasattr(torch, "get_float32_matmul_precision") else "",
        capability=torch.backends.cpu.get_cpu_capability() if hasattr(torch.backends, "cpu") else "",
        mkl=torch.backends.mkl.is_available(),
        blas="MKL" if torch.backends.mkl.is_available() else "the system's BLAS",
        parameters=sum(p.numel() for p in model.parameters()),
    )
    for line in sys.stdin:
        seconds = float(line.split()[1])
        step(0)
        spent, calls, value, start = [0.0, 0.0, 0.0], 0, 0.0, time.perf_counter()
        while calls == 0 or time.perf_counter() - start < seconds:
            *took, value = step(calls)
            spent = [a + b for a, b in zip(spent, took)]
            calls += 1
        took = time.perf_counter() - start
        spent = dict(zip(("forward", "backward", "clipping and AdamW"), spent))
        say(calls=calls, seconds=took, check=value, spent=spent)


def say(**answer):
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
