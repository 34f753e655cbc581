"""Adds ten steps of Muon to the reference cases of `gpt verify`: muon.loss, muon.grad_norm and
muon.final.NAME, computed in float64 with PyTorch autograd. The orthogonal steps come from a
singular value decomposition and not from Newton and Schulz's matrix products: the iteration
only changes singular values, so U p(p(p(p(p(s))))) V' is what it must give.

    python study/verify/python/muon_golden.py study/verify/testdata/gpt1-tiny study/verify/testdata/gpt2-tiny

The schedule is that of adamw.loss: warm-up over 3 steps to 1e-2, a cosine to 1e-3, clipping to
norm 1, weight decay 0.1. Muon, with momentum 0.95 and PyTorch's "match_rms_adamw", trains the
matrices of the layers, those of queries, keys and values each by itself; AdamW (0.9, 0.95,
1e-8) trains the rest. Needs torch and safetensors.
"""

import json
import math
import sys

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file

STEPS, WARMUP, PEAK, DECAY, MOMENTUM = 10, 3, 1e-2, 0.1, 0.95
SIDE_BY_SIDE = {"attn.c_attn.weight": 3, "attn.c_proj.weight": 1, "mlp.c_fc.weight": 1, "mlp.c_proj.weight": 1}


def loss_of(config, p, tokens, targets):
    gpt2, heads = config["model_type"] == "gpt2", config["n_head"]
    table = p["wte.weight" if gpt2 else "tokens_embed.weight"]
    positions = p["wpe.weight" if gpt2 else "positions_embed.weight"]
    b, t = tokens.shape
    d = table.shape[1]

    def norm(x, name):
        return F.layer_norm(x, (d,), p[name + ".weight"], p[name + ".bias"], 1e-5)

    def linear(x, name):
        return x @ p[name + ".weight"] + p[name + ".bias"]

    def attention(x, name):
        q, k, v = (y.view(b, t, heads, d // heads).transpose(1, 2) for y in linear(x, name + ".c_attn").split(d, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return linear(y.transpose(1, 2).reshape(b, t, d), name + ".c_proj")

    def feed_forward(x, name):
        return linear(F.gelu(linear(x, name + ".c_fc"), approximate="tanh"), name + ".c_proj")

    x = table[tokens] + positions[:t]
    for i in range(config["n_layer"]):
        h = f"h.{i}."
        if gpt2:
            x = x + attention(norm(x, h + "ln_1"), h + "attn")
            x = x + feed_forward(norm(x, h + "ln_2"), h + "mlp")
        else:
            x = norm(x + attention(x, h + "attn"), h + "ln_1")
            x = norm(x + feed_forward(x, h + "mlp"), h + "ln_2")
    if gpt2:
        x = norm(x, "ln_f")
    return F.cross_entropy((x @ table.T).reshape(b * t, -1), targets.reshape(-1), ignore_index=-100)


def orthogonal(u):
    left, s, right = torch.linalg.svd(u, full_matrices=False)
    s = s / max(math.sqrt((s * s).sum().item()), 1e-7)
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return (left * s) @ right


def muon(value, grad, momentum, rate, parts):
    momentum.lerp_(grad, 1 - MOMENTUM)
    value.mul_(1 - rate * DECAY)
    update = grad.lerp(momentum, MOMENTUM)
    steps = [orthogonal(u) * 0.2 * math.sqrt(max(u.shape)) for u in update.chunk(parts, 1)]
    value.sub_(rate * torch.cat(steps, 1))


def rate_at(step):
    if step < WARMUP:
        return PEAK * (step + 1) / WARMUP
    return PEAK * (0.1 + 0.9 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP))) / 2)


def extend(folder):
    config = json.load(open(f"{folder}/config.json"))
    weights = load_file(f"{folder}/model.safetensors")
    with safe_open(f"{folder}/case.safetensors", "pt") as f:
        meta, case = f.metadata(), {k: f.get_tensor(k) for k in f.keys() if not k.startswith("muon.")}
    p = {k: v.double().requires_grad_() for k, v in weights.items()}
    momentum = {k: torch.zeros_like(v) for k, v in p.items()}
    rest = {k: v for k, v in p.items() if not any(k.endswith(s) for s in SIDE_BY_SIDE)}
    adamw = torch.optim.AdamW(
        [{"params": [v for v in rest.values() if v.dim() == 2], "weight_decay": DECAY},
         {"params": [v for v in rest.values() if v.dim() == 1], "weight_decay": 0.0}],
        lr=PEAK, betas=(0.9, 0.95), eps=1e-8)
    losses, norms = [], []
    for step in range(STEPS):
        for v in p.values():
            v.grad = None
        loss = loss_of(config, p, case["tokens"], case["targets"])
        loss.backward()
        norm = math.sqrt(sum((v.grad**2).sum().item() for v in p.values()))
        losses.append(loss.item())
        norms.append(norm)
        with torch.no_grad():
            for v in p.values():
                v.grad *= min(1.0, 1 / (norm + 1e-6))
            for k in p.keys() - rest.keys():
                muon(p[k], p[k].grad, momentum[k], rate_at(step), SIDE_BY_SIDE[k.split(".", 2)[2]])
        for g in adamw.param_groups:
            g["lr"] = rate_at(step)
        adamw.step()
    assert abs(losses[0] - float(meta["lm.loss"])) < 1e-12, (losses[0], meta["lm.loss"])
    case["muon.loss"] = torch.tensor(losses, dtype=torch.float64)
    case["muon.grad_norm"] = torch.tensor(norms, dtype=torch.float64)
    for k, v in p.items():
        case["muon.final." + k] = v.detach().float().contiguous()
    save_file(case, f"{folder}/case.safetensors", meta)
    print(folder, [round(x, 4) for x in losses])


for folder in sys.argv[1:]:
    extend(folder)
