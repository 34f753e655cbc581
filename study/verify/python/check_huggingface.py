#!/usr/bin/env python3
"""Checks `gpt import` and `gpt export` against transformers itself, in both directions.

    pip install torch transformers safetensors tokenizers
    python study/verify/python/check_huggingface.py

Without arguments it builds gpt with Go and works in a temporary folder:

  in    models with random weights and tokenizers of their own, made by transformers
        (gpt2 and openai-gpt; float32, float16, bfloat16; in one file and in several;
        tied and untied; with and without prefix; with padded vocabulary), are
        imported: same token ids, and `gpt verify` recomputes logits, loss, gradients
        and the greedy continuation that transformers computed in float64. Exported
        again, every weight has the same bits and transformers loads all of them.
  out   models trained by gpt are exported: transformers loads them without a missing
        or unexpected weight, AutoTokenizer gives the same ids, `gpt verify` agrees
        with transformers' values, and greedy text is the same. The 16-bit exports
        have the bits that PyTorch rounds to.

It prints a line per check and ends with an error if one fails.

    --gpt CMD        the program to check, instead of building it
    --testdata DIR   write the small models that the Go tests read (model/testdata), no checks

Last run with torch 2.15.0, transformers 5.24.0, tokenizers 0.23.3, safetensors 0.8.0.
"""
import collections, json, math, os, pathlib

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.normalizers import BertNormalizer
from transformers import (AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, GPT2Config, GPT2LMHeadModel, GPT2Tokenizer,
                          OpenAIGPTConfig, OpenAIGPTLMHeadModel, OpenAIGPTTokenizer)

from exchange import TEXT, check, main

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

BUFFERS = (".attn.bias", ".attn.masked_bias")  # the causal mask in old checkpoints
CHINESE = "渡船九点离开码头，安娜站在栏杆旁。the sea 很平静 12 and letters"
SAMPLES = [TEXT, CHINESE, "Anna's brother had 3 letters.", " two  spaces\n\n and lines\t", "Übermut! 1,024?", "the the the", ""]


# ---- models made by transformers ----

def byte_level(folder, vocab):
    """A byte-level BPE as GPT-2's, trained on TEXT, saved into folder."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer, t.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    t.train_from_iterator([TEXT], trainers.BpeTrainer(vocab_size=vocab, special_tokens=["<|endoftext|>"], show_progress=False,
                                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t = GPT2Tokenizer(tokenizer_object=t)
    t.save_pretrained(folder)
    return t


def gpt1_bpe(folder, vocab):
    """A lower-casing BPE with </w> as GPT-1's, trained on TEXT, saved into folder. The trainer
    of tokenizers numbers the symbols with </w> differently each time, hence the loop here."""
    lower = BertNormalizer(lowercase=True).normalize_str(TEXT)
    words = collections.Counter(w for w, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(lower))
    words = {(*w[:-1], w[-1] + "</w>"): n for w, n in words.items()}
    tokens, merges = ["<unk>", *sorted({s for w in words for s in w})], []
    while len(tokens) < vocab:
        pairs = collections.Counter()
        for w, n in words.items():
            for pair in zip(w, w[1:]):
                pairs[pair] += n
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        tokens.append("".join(best))
        words = {merge(w, best): n for w, n in words.items()}
    t = OpenAIGPTTokenizer(vocab={s: i for i, s in enumerate(tokens)}, merges=merges)
    t.save_pretrained(folder)
    return t


def wordpiece(folder):
    """A vocabulary as Chinese GPT-2s have BERT's, in vocab.txt, saved into folder."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + sorted(set(CHINESE) - {" "}) + ["the", "##e", "sea", "##s"] + ["##" + c for c in "abcdefghijklmnopqrstuvwxyz"]
    pathlib.Path(folder, "vocab.txt").write_text("".join(t + "\n" for t in dict.fromkeys(tokens)))
    pathlib.Path(folder, "tokenizer_config.json").write_text('{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}')
    return AutoTokenizer.from_pretrained(folder)


def merge(word, pair):
    """The word with each occurrence of the pair made one symbol."""
    out = []
    for s in word:
        if out and (out[-1], s) == pair:
            out[-1] += s
        else:
            out.append(s)
    return tuple(out)


def randomise(model, seed):
    """Gives every parameter a value that matters, so that nothing computed is small."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            x = torch.randn(p.shape, generator=g)
            if ".ln_" in name:
                p.copy_(x * 0.1 + (1 if name.endswith("weight") else 0))
            elif name.endswith("bias"):
                p.copy_(x * 0.1)
            else:
                p.copy_(x * (0.5 if "embed" in name or "wte" in name or "wpe" in name or "lm_head" in name else p.shape[0] ** -0.5))


VARIANTS = {
    # name: (arch, dtype, options)
    "gpt2": ("gpt2", torch.float32, {}),
    "openai-gpt": ("openai-gpt", torch.float32, {"shard": "3KB"}),
    "gpt2-float16": ("gpt2", torch.float16, {"untied": True, "padding": 5, "epsilon": 1e-6}),
    "gpt2-bfloat16": ("gpt2", torch.bfloat16, {"shard": "4KB"}),
    "gpt2-bare": ("gpt2", torch.float32, {"bare": True}),
    "gpt2-odd-head": ("gpt2", torch.float32, {"odd_head": True}),
    "openai-gpt-float16": ("openai-gpt", torch.float16, {"untied": True}),
    "openai-gpt-bfloat16": ("openai-gpt", torch.bfloat16, {"bare": True}),
    "gpt2-relu": ("gpt2", torch.float32, {"config": {"activation_function": "relu", "n_inner": 12, "scale_attn_by_inverse_layer_idx": True}, "pickled": "zip"}),
    "gpt2-silu": ("gpt2", torch.float32, {"config": {"activation_function": "silu", "n_inner": 40, "scale_attn_weights": False}, "pickled": "legacy"}),
    "gpt2-erf": ("gpt2", torch.float16, {"config": {"activation_function": "gelu"}, "pickled": "zip"}),
    "gpt2-no-biases": ("gpt2", torch.float32, {"no_biases": True}),
    "openai-gpt-relu": ("openai-gpt", torch.float32, {"config": {"afn": "relu"}, "pickled": "zip"}),
    "gpt2-chinese": ("gpt2", torch.float32, {"wordpiece": True, "pickled": "legacy"}),
    "openai-gpt-silu": ("openai-gpt", torch.float32, {"config": {"afn": "silu"}}),
}
# The scores' scale of these is in the weights of the queries after import, so the gradients of
# these weights are others, and their bits.
SCALED = ("gpt2-relu", "gpt2-silu")


def make(folder, variant, seed=1):
    """Makes a model with transformers; returns its tokenizer."""
    arch, dtype, o = VARIANTS[variant]
    os.makedirs(folder, exist_ok=True)
    tokenizer = wordpiece(folder) if o.get("wordpiece") else byte_level(folder, 280) if arch == "gpt2" else gpt1_bpe(folder, 120)
    eot = tokenizer.eos_token_id if arch == "gpt2" else None
    shape = dict(vocab_size=len(tokenizer) + o.get("padding", 0), n_positions=16, n_embd=8, n_layer=2, n_head=2, bos_token_id=eot, eos_token_id=eot,
                 layer_norm_epsilon=o.get("epsilon", 1e-5), tie_word_embeddings=not o.get("untied", False), **o.get("config", {}))
    model = GPT2LMHeadModel(GPT2Config(**shape)) if arch == "gpt2" else OpenAIGPTLMHeadModel(OpenAIGPTConfig(**shape))
    randomise(model, seed)
    if o.get("no_biases"):
        with torch.no_grad():
            for name, p in model.named_parameters():
                if name.endswith(".bias") and ".ln_" not in name:
                    p.zero_()
    model = model.to(dtype)
    model.save_pretrained(folder, max_shard_size=o.get("shard", "1GB"))
    path = os.path.join(folder, "model.safetensors")
    if o.get("bare"):
        # As the first published checkpoints: without prefix, with the causal mask.
        w = {k.removeprefix("transformer."): v for k, v in load_file(path).items()}
        for i in range(2):
            w[f"h.{i}.attn.bias"] = torch.ones(16, 16).tril().view(1, 1, 16, 16)
            w[f"h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
        save_file(w, path, {"format": "pt"})
    if o.get("odd_head"):
        # A head of its own beside a configuration that ties it.
        w = load_file(path)
        w["lm_head.weight"] = w["transformer.wte.weight"].flip(0).contiguous()
        save_file(w, path, {"format": "pt"})
    if o.get("no_biases"):
        save_file({k: v for k, v in load_file(path).items() if not k.endswith(".bias") or ".ln_" in k}, path, {"format": "pt"})
    if o.get("pickled"):
        # As transformers saved models before safetensors: tied weights twice, in the same memory.
        state = collections.OrderedDict((k, v.detach()) for k, v in model.state_dict().items())
        torch.save(state, os.path.join(folder, "pytorch_model.bin"), _use_new_zipfile_serialization=o["pickled"] == "zip")
        os.remove(path)
    return tokenizer


def load(folder):
    """The model of a folder in float32, every weight of it from the files and none left over."""
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        odd = [k for k in info[what] if not str(k).endswith(BUFFERS)]
        if what == "missing_keys" and "no-biases" in str(folder):
            with torch.no_grad():
                for k in odd:
                    assert k.endswith(".bias"), k
                    model.get_parameter(k).zero_()
            odd = []
        assert not odd, f"{folder}: {what}: {odd}"
    return model.eval()


def write_case(folder, ids, gradients=True):
    """Writes case.safetensors: what transformers computes of the model in float64, in the
    form that `gpt verify` reads."""
    model = load(folder).double()
    for m in model.modules():
        if isinstance(m, torch.nn.Dropout):
            m.p = 0.0
    context = model.config.n_positions
    ids = torch.tensor([ids[:context], ids[1:context + 1]][:2 if len(ids) > context else 1])
    tokens, targets = ids[:, :-1], ids[:, 1:].clone()
    targets[0, :2] = -100  # ignored
    out = model(tokens, output_hidden_states=True)
    single = lambda x: x.detach().float().contiguous()
    case = {"tokens": tokens.contiguous(), "targets": targets.contiguous(), "lm.hidden": single(out.hidden_states[-1]), "lm.logits": single(out.logits)}
    scalars = {}
    if gradients:
        backward(model, out.logits, targets, case, scalars)
    greedy = tokens[:1, :5]
    for _ in range(context):
        with torch.no_grad():
            greedy = torch.cat([greedy, model(greedy[:, -context:]).logits[:, -1:].argmax(-1)], 1)
    case["greedy.tokens"] = greedy[0].contiguous()
    save_file(case, os.path.join(folder, "case.safetensors"), scalars)


def backward(model, logits, targets, case, scalars):
    """Adds the loss and its gradients to a case."""
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)
    loss.backward()
    for name, p in model.named_parameters():
        case["lm.grad." + name.removeprefix("transformer.")] = p.grad.float().contiguous()
    scalars["lm.loss"] = repr(loss.item())
    scalars["lm.grad_norm"] = repr(math.sqrt(sum((p.grad ** 2).sum().item() for p in model.parameters())))


def testdata(into):
    for variant in ("gpt2", "openai-gpt", "gpt2-float16", "gpt2-bfloat16", "gpt2-relu", "gpt2-silu"):
        folder = os.path.join(into, variant)
        os.makedirs(folder, exist_ok=True)
        tokenizer = make(folder, variant)
        write_case(folder, tokenizer(TEXT)["input_ids"][:9], gradients=False)
        os.remove(os.path.join(folder, "generation_config.json"))
        print(variant, sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)), "bytes")


# ---- the checks ----

def state(folder):
    """All weights of a folder by their name without prefix."""
    out = {}
    for f in pathlib.Path(folder).glob("pytorch_model.bin"):
        out.update({k.removeprefix("transformer."): v for k, v in torch.load(f, weights_only=True).items()})
        out.pop("lm_head.weight")  # these are tied
    for f in pathlib.Path(folder).glob("model*.safetensors"):
        out.update({k.removeprefix("transformer."): v for k, v in load_file(f).items() if not k.endswith(BUFFERS)})
    return out


def same_bits(got, want):
    assert got.keys() == want.keys(), f"only in one: {sorted(got.keys() ^ want.keys())}"
    for k in want:
        assert got[k].dtype == want[k].dtype and torch.equal(got[k], want[k]), f"{k} differs"


def same_ids(gpt, run, tokenizer):
    for text in SAMPLES:
        want = tokenizer(text, add_special_tokens=False)["input_ids"]
        got = [int(i) for i in gpt("tokenizer", "encode", "--tokenizer", run, "--", text).split()]
        assert got == want, f"{text!r}\ngpt          {got}\ntransformers {want}"


def check_in(gpt, work, variant):
    """A model of transformers becomes a run, and is exported again."""
    theirs, run, back = (work / f"{variant}-{x}" for x in ("theirs", "run", "back"))
    tokenizer = make(theirs, variant)
    with check(f"{variant}: import"):
        gpt("import", theirs, "--run", run)
    with check(f"{variant}: token ids of the run"):
        same_ids(gpt, run, AutoTokenizer.from_pretrained(theirs))
    want = {k: v.float() for k, v in state(theirs).items()}
    if variant in SCALED:
        config = load(theirs).config
        for k, v in want.items():
            if ".c_attn." in k:
                by = 1 / (int(k.split(".")[1]) + 1) if config.scale_attn_by_inverse_layer_idx else (config.n_embd // config.n_head) ** 0.5
                v[..., :config.n_embd] = (v[..., :config.n_embd].double() * by).float()
    if variant == "gpt2-no-biases":
        want = {k: p.float() for k, p in ((k.removeprefix("transformer."), p) for k, p in load(theirs).state_dict().items()) if k != "lm_head.weight"}
    with check(f"{variant}: the run's weights have the bits of the model's"):
        same_bits(load_file(run / "best.safetensors"), want)
    with check(f"{variant}: export gives back every bit"):
        gpt("export", "--run", run, "--to", back)
        same_bits(state(back), want)
    with check(f"{variant}: token ids of the export"):
        tokens = AutoTokenizer.from_pretrained(back)
        for text in SAMPLES:
            want = tokenizer(text)["input_ids"]
            if "wordpiece" in VARIANTS[variant][2]:
                want = want[:-1]  # the end has no place after a prompt
            assert tokens(text)["input_ids"] == want, text
    with check(f"{variant}: logits of the original and the export in transformers"):
        ids = torch.tensor([tokenizer(TEXT)["input_ids"][:16]])
        with torch.no_grad():
            a, b = load(theirs)(ids).logits, load(back)(ids).logits
            assert torch.allclose(a, b, rtol=0, atol=1e-5) if variant in SCALED else torch.equal(a, b), (a - b).abs().max()
    with check(f"{variant}: greedy text"):
        same_greedy_text(gpt, run, load(back), AutoTokenizer.from_pretrained(back), prompt="the rail", n=10)
    for folder, name in ((theirs, "original"), (back, "export")):
        with check(f"{variant}: gpt verify against transformers' values of the {name}"):
            write_case(folder, tokenizer(TEXT)["input_ids"], gradients=folder == back or variant not in SCALED)
            assert "within bounds" in gpt("verify", folder)


TRAINED = {
    "bpe": "model: {arch: gpt2, layers: 2, heads: 2, width: 32, context: 32}\ntokenizer: {kind: bpe, vocab_size: 400}\n",
    "gpt1-bpe": "model: {arch: gpt1, layers: 2, heads: 4, width: 32, context: 32}\ntokenizer: {kind: bpe, vocab_size: 300}\n",
    "char": "model: {arch: gpt2, layers: 1, heads: 1, width: 16, context: 20, untied_head: true}\ntokenizer: {kind: char}\n",
    "byte": "model: {arch: gpt2, layers: 1, heads: 2, width: 16, context: 20, layer_norm_epsilon: 1e-4}\ntokenizer: {kind: byte}\n",
    "gpt2-vocabulary": "model: {arch: gpt2, layers: 1, heads: 2, width: 8, context: 20}\ntokenizer: {kind: gpt2}\n",
}


def same_greedy_text(gpt, run, model, tokenizer, *flags, prompt="The sea", n=14):
    """As a user of transformers gets it: tokenizer(prompt) is what the model reads."""
    ids = tokenizer(prompt, return_tensors="pt")
    n = min(n, model.config.n_positions - ids["input_ids"].shape[1])
    with torch.no_grad():
        out = model.generate(**ids, max_new_tokens=n, do_sample=False, pad_token_id=0)
    want = tokenizer.decode(out[0], skip_special_tokens=True)
    got = gpt("sample", "--run", run, "--prompt", prompt, "--temperature", 0, "--max-tokens", n, *flags)
    squeeze = (lambda s: s.replace(" ", "")) if type(tokenizer).__name__ == "OpenAIGPTTokenizer" or "[SEP]" in tokenizer.get_vocab() else lambda s: s.rstrip("\n")
    assert squeeze(got.rstrip("\n")) == squeeze(want), f"gpt          {got!r}\ntransformers {want!r}"


def check_out(gpt, work, name):
    """A model trained by gpt goes to transformers."""
    run, ours, config = work / f"{name}-run", work / f"{name}-ours", work / f"{name}.yaml"
    config.write_text(TRAINED[name] + "data: {val_fraction: 0.2}\n"
                      "train: {steps: 60, batch_size: 4, learning_rate: 3e-3, warmup_steps: 5, eval_interval: 60, sample_interval: 0}\n")
    (work / "text.txt").write_text(TEXT * 20)
    with check(f"{name}: export of a trained run"):
        gpt("train", "--config", config, "--data", work / "text.txt", "--run", run)
        gpt("export", "--run", run, "--to", ours)
    with check(f"{name}: transformers loads every weight"):
        model = load(ours)
    with check(f"{name}: token ids"):
        tokenizer = AutoTokenizer.from_pretrained(ours)
        for text in SAMPLES if name != "char" else [TEXT, "the rail"]:
            want = [int(i) for i in gpt("tokenizer", "encode", "--tokenizer", run, "--", text).split()]
            got = tokenizer(text)["input_ids"]
            assert got == [tokenizer.bos_token_id] + want, f"{text!r}\ngpt          {want}\ntransformers {got}"
            assert tokenizer.decode(want) == text, f"{text!r} is decoded as {tokenizer.decode(want)!r}"
    with check(f"{name}: gpt verify against transformers' values"):
        write_case(ours, tokenizer(TEXT)["input_ids"])
        assert "within bounds" in gpt("verify", ours)
    with check(f"{name}: greedy text"):
        same_greedy_text(gpt, run, model, tokenizer)
    with check(f"{name}: greedy text without a token before the prompt"):
        same_greedy_text(gpt, run, model, AutoTokenizer.from_pretrained(ours, add_bos_token=False), "--no-bos")
    for dtype in (torch.float16, torch.bfloat16):
        with check(f"{name}: {dtype} as PyTorch rounds it"):
            folder = f"{ours}-{dtype}"
            gpt("export", "--run", run, "--to", folder, "--dtype", str(dtype).removeprefix("torch."))
            same_bits(state(folder), {k: v.to(dtype) for k, v in state(ours).items()})
            assert AutoModelForCausalLM.from_pretrained(folder).dtype == dtype


def check_growing(gpt, work):
    """Every checkpoint of a model that grows while it is trained is a whole model: here the best
    of a training that goes wrong after its first stage, and the last ones of longer and longer
    trainings."""
    (work / "text.txt").write_text(TEXT * 20)
    for steps, rate, stages in ((40, 3e-3, "{until: 0.5, layers: 1, context: 16}, {until: 0.9, layers: 2}"), (30, 3.0, "{until: 0.4, layers: 2, context: 8}, {until: 0.8, layers: 3, context: 16}")):
        run, config = work / f"growing-{steps}", work / f"growing-{steps}.yaml"
        config.write_text(TRAINED["bpe"].replace("layers: 2", "layers: 4") + "data: {val_fraction: 0.2}\n"
                          f"train: {{steps: {steps}, batch_size: 4, learning_rate: {rate}, warmup_steps: 10, eval_interval: 5, sample_interval: 0, stages: [{stages}]}}\n")
        gpt("train", "--config", config, "--data", work / "text.txt", "--run", run)
        for checkpoint in ("best", "last"):
            with check(f"growing, {steps} steps, {checkpoint}: transformers loads every weight and continues alike"):
                folder = work / f"growing-{steps}-{checkpoint}"
                gpt("export", "--run", run, "--checkpoint", checkpoint, "--to", folder)
                model, tokenizer = load(folder), AutoTokenizer.from_pretrained(folder)
                print(f"       {model.config.n_layer} layers, context {model.config.n_positions}")
                same_greedy_text(gpt, run, model, tokenizer, "--checkpoint", checkpoint, prompt="The", n=5)


def check_classifier(gpt, work):
    """A fine-tuned classifier is AutoModelForSequenceClassification's."""
    words = {"good": ["calm", "nine", "island"], "bad": ["hill", "church", "deck"], "so-so": ["letter", "sea", "harbour"]}
    rows = [(f"The {w} was at the {v}.", label) for label in words for w in words[label] for v in ("rail", "ferry", "coat", "house", "door")]
    for task, base in (("classification", "bpe-run"), ("entailment", "gpt1-bpe-run")):
        run, ours, config, pair = work / f"{task}-run", work / f"{task}-ours", work / f"{task}.yaml", task == "entailment"
        lines = ["premise\thypothesis\tlabel" if pair else "text\tlabel"] + ["\t".join([text, "It was."] * pair + [text] * (not pair) + [label]) for text, label in rows]
        (work / f"{task}.tsv").write_text("\n".join(lines) + "\n")
        with check(f"{task}: fine-tuned and exported"):
            config.write_text(f"finetune: {{task: {task}, train: {work / f'{task}.tsv'}, lambda: 0.5}}\n"
                              "train: {batch_size: 5, learning_rate: 1e-3}\n")
            gpt("finetune", "--config", config, "--from", work / base, "--run", run)
            out = gpt("export", "--run", run, "--to", ours)
        with check(f"{task}: the same probabilities in transformers, one by one and in a batch with padding"):
            model, info = AutoModelForSequenceClassification.from_pretrained(ours, dtype=torch.float32, output_loading_info=True)
            for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
                assert not info[what], f"{what}: {info[what]}"
            tokenizer, c = AutoTokenizer.from_pretrained(ours), model.eval().config
            assert c.pad_token_id is not None and len(c.id2label) == 3 and all(c.id2label[i] == l for l, i in c.label2id.items())
            shape = next(line for line in out.splitlines() if line.startswith("its texts are written ")).removeprefix("its texts are written ")
            texts = [text + " He had said she was sure."[:k] for k, (text, _) in enumerate(rows[::6])]
            said = [(shape.replace("FIRST TEXT", t).replace("SECOND TEXT", "It was.") if pair else shape.replace("TEXT", t)) for t in texts]
            answers = [json.loads(a) for a in gpt("classify", "--run", run, "--json", *(x for t in texts for x in ([t, "It was."] if pair else [t]))).splitlines()]
            ids = [tokenizer(t)["input_ids"] for t in said]
            width = max(map(len, ids))
            batch = torch.tensor([x + [c.pad_token_id] * (width - len(x)) for x in ids])
            with torch.no_grad():
                padded = model(batch).logits.softmax(-1)
                alone = torch.cat([model(torch.tensor([x])).logits.softmax(-1) for x in ids])
            for got in (padded, alone):
                for row, answer in zip(got, answers, strict=True):
                    for share in answer["probabilities"]:
                        p = row[c.label2id[share["label"]]].item()
                        assert abs(p - share["probability"]) < 2e-5, f"{share}: transformers has {p}"


def checks(gpt, work):
    for variant in VARIANTS:
        check_in(gpt, work, variant)
    for name in TRAINED:
        check_out(gpt, work, name)
    check_growing(gpt, work)
    check_classifier(gpt, work)


if __name__ == "__main__":
    main(__doc__, testdata, checks)
