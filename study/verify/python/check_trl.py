#!/usr/bin/env python3
"""Checks `gpt align dpo` and `gpt align reward` against trl, step by step.

    pip install torch transformers trl
    python study/verify/python/check_trl.py --run runs/sft-1

--run is a run of `gpt align sft`. Both programs train on the same sixteen pairs, ten
steps with all of them in each, from the same exported weights: gpt, and trl's
DPOTrainer and RewardTrainer with the learning rates that gpt's metrics.jsonl names.
The loss of each step must agree within 1e-4, and so must trl's own metrics: the mean
log-probabilities of chosen and rejected answers, the margins, the scores.

    --gpt CMD   the program to check, instead of building it

Last run with torch 2.15.0, transformers 5.24.0, trl 1.16.0.
"""
import json, random

import torch
import transformers
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, PrinterCallback
from trl import DPOConfig, DPOTrainer, RewardConfig, RewardTrainer

from exchange import check, main

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

STEPS, PAIRS, TOLERANCE = 10, 16, 1e-4
NAMES, THINGS = ["Mia", "Max", "Tom", "Lily"], ["the ball", "the red kite", "a small boat", "the lamp"]


def text(r, words):
    """An answer of about that number of words."""
    return " ".join(f"{r.choice(NAMES)} saw {r.choice(THINGS)}." for _ in range(max(1, words // 4)))


def rows():
    """Pairs of answers of many lengths; gpt holds a tenth out, here one."""
    r = random.Random(7)
    return [{"prompt": [{"role": "user", "content": f"Who has {r.choice(THINGS)}, {r.choice(NAMES)}?"}],
             "chosen": [{"role": "assistant", "content": text(r, r.randrange(4, 40))}],
             "rejected": [{"role": "assistant", "content": text(r, r.randrange(4, 40))}]} for _ in range(PAIRS + 1)]


def write(path, examples):
    with open(path, "w") as f:
        for e in examples:
            f.write(json.dumps({"prompt": e["prompt"][0]["content"], "chosen": e["chosen"][0]["content"],
                                "rejected": e["rejected"][0]["content"]}) + "\n")


def metrics(run):
    """What gpt logged of each step, in order."""
    lines = [json.loads(line) for line in open(f"{run}/metrics.jsonl")]
    return [m for m in lines if "learning_rate" in m and m.get("values")]


class Recorded:
    """What every trainer here has: AdamW with gpt's settings, and gpt's rates."""

    settings = dict(per_device_train_batch_size=PAIRS, max_steps=STEPS, max_length=256, max_grad_norm=1.0, bf16=False, use_cpu=True,
                    logging_steps=1, report_to=[], disable_dropout=True, gradient_checkpointing=False, save_strategy="no", disable_tqdm=True)

    @staticmethod
    def optimisers(model, rates):
        adamw = torch.optim.AdamW(model.parameters(), lr=1, betas=(0.9, 0.95), eps=1e-8, weight_decay=0)
        return adamw, torch.optim.lr_scheduler.LambdaLR(adamw, lambda step: rates[min(step, len(rates) - 1)])

    @staticmethod
    def run(trainer):
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        return [h for h in trainer.state.log_history if "loss" in h]


def compare(what, ours, theirs):
    worst = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    with check(f"{what}: {STEPS} steps, at most {worst:.1e} apart"):
        assert worst <= TOLERANCE, f"gpt {ours}\ntrl {theirs}"


def preference(gpt, work, run, held_out):
    gpt("align", "dpo", "--from", run, "--run", work / "dpo", "--data", work / "pairs.jsonl", "--set", f"dpo.batch_size={PAIRS}",
        "--set", f"dpo.epochs={STEPS}", "--set", "dpo.evaluations=1", "--set", "dpo.learning_rate=1e-3", "--set", "evaluation.during=1")
    ours = metrics(work / "dpo")
    tokenizer = AutoTokenizer.from_pretrained(work / "policy")
    tokenizer.pad_token = "<|system|>"
    model = AutoModelForCausalLM.from_pretrained(work / "policy")
    trainer = DPOTrainer(model=model, processing_class=tokenizer, train_dataset=Dataset.from_list(held_out),
                         args=DPOConfig(output_dir=str(work / "trl-dpo"), beta=0.1, **Recorded.settings),
                         optimizers=Recorded.optimisers(model, [m["learning_rate"] for m in ours]))
    theirs = Recorded.run(trainer)
    compare("DPO, loss", [m["loss"] for m in ours], [h["loss"] for h in theirs])
    for name in ("logps/chosen", "logps/rejected", "rewards/margins"):
        scale = max(1, max(abs(m["values"][name]) for m in ours))
        compare(f"DPO, {name}", [m["values"][name] / scale for m in ours], [h[name] / scale for h in theirs])


def reward(gpt, work, run, held_out):
    set_ = ["--data", work / "pairs.jsonl", "--set", f"reward.prompts={PAIRS}", "--set", f"reward.epochs={STEPS}", "--set", "reward.evaluations=1", "--set", "evaluation.during=1"]
    gpt("align", "reward", "--from", run, "--run", work / "start", *set_, "--set", "reward.learning_rate=0")
    gpt("align", "reward", "--from", run, "--run", work / "reward", *set_, "--set", "reward.learning_rate=3e-4")
    gpt("export", "--run", work / "start", "--to", work / "scorer")
    ours = metrics(work / "reward")
    tokenizer = AutoTokenizer.from_pretrained(work / "scorer")
    model = AutoModelForSequenceClassification.from_pretrained(work / "scorer")
    tokenizer.pad_token_id = model.config.pad_token_id
    trainer = RewardTrainer(model=model, processing_class=tokenizer, train_dataset=Dataset.from_list(held_out),
                            args=RewardConfig(output_dir=str(work / "trl-reward"), center_rewards_coefficient=None, **Recorded.settings),
                            optimizers=Recorded.optimisers(model, [m["learning_rate"] for m in ours]))
    theirs = Recorded.run(trainer)
    compare("reward model, loss", [m["loss"] for m in ours], [h["loss"] for h in theirs])
    compare("reward model, margin", [m["values"]["margin"] for m in ours], [h["margin"] for h in theirs])


def answers(tokenizer, model, example):
    """log P(chosen | prompt), as transformers computes it."""
    prompt = tokenizer.apply_chat_template(example["prompt"], add_generation_prompt=True, return_dict=False)
    ids = tokenizer.apply_chat_template(example["prompt"] + example["chosen"], return_dict=False)
    assert ids[:len(prompt)] == prompt
    with torch.no_grad():
        logs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    return sum(logs[i - 1, ids[i]].item() for i in range(len(prompt), len(ids)))


def checks(gpt, work, run):
    gpt("export", "--run", run, "--to", work / "policy")
    tokenizer, model = AutoTokenizer.from_pretrained(work / "policy"), AutoModelForCausalLM.from_pretrained(work / "policy")
    examples = rows()
    write(work / "pairs.jsonl", examples)
    # Which pair gpt holds out shows in the mean log-probability of its first batch.
    gpt("align", "dpo", "--from", run, "--run", work / "probe", "--data", work / "pairs.jsonl", "--set", f"dpo.batch_size={PAIRS}",
        "--set", "dpo.evaluations=1", "--set", "dpo.epochs=1", "--set", "evaluation.during=1")
    mean = metrics(work / "probe")[0]["values"]["logps/chosen"]
    logs = [answers(tokenizer, model, e) for e in examples]
    apart = [abs((sum(logs) - x) / PAIRS - mean) for x in logs]
    out = apart.index(min(apart))
    with check(f"the same tokens and log-probabilities: the held-out pair is found, {apart[out]:.1e} nats apart"):
        assert apart[out] < 1e-3, apart
    training = examples[:out] + examples[out + 1:]
    preference(gpt, work, run, training)
    reward(gpt, work, run, training)


if __name__ == "__main__":
    main(__doc__, None, checks, run="a run of `gpt align sft`")
