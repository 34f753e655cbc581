#!/usr/bin/env python3
"""Checks `gpt export --as gguf` against llama.cpp itself.

    pip install gguf llama-cpp-python numpy     # the second builds llama.cpp: needs cmake and a C++ compiler
    python study/verify/python/check_gguf.py

Without arguments it builds gpt with Go, trains small models in a temporary folder and
exports them. The gguf package must read every file, llama.cpp must load it, encode
texts to the same ids as gpt, compute the logits that gpt's reference cases have
(llama.cpp looks GELU up in a table of 16-bit floats, hence the tolerance), and write the
same greedy text.

It prints a line per check and ends with an error if one fails.

    --gpt CMD        the program to check, instead of building it
    --testdata DIR   write the file that the Go tests compare with (model/gguf/testdata), no checks

Last run with gguf 0.19.0 and llama-cpp-python 0.3.36.
"""
import json, os, pathlib

import gguf
import numpy as np

from exchange import TEXT, check, main

SAMPLES = [TEXT, "Anna's brother had 3 letters.", " two  spaces\n\n and lines\t", "Übermut! 1,024? 好", "the the the"]


def testdata(folder):
    """A file of the format's own writer with every kind of value and tensor that ours writes."""
    os.makedirs(folder, exist_ok=True)
    w = gguf.GGUFWriter(os.path.join(folder, "reference.gguf"), "gpt2")
    w.add_string("general.name", "é \"q\"")
    w.add_uint32("gpt2.block_count", 7)
    w.add_int32("some.negative", -7)
    w.add_float32("gpt2.attention.layer_norm_epsilon", 1e-5)
    w.add_bool("some.yes", True)
    w.add_bool("some.no", False)
    w.add_array("tokenizer.ggml.tokens", ["a", "Ġb", ""])
    w.add_array("tokenizer.ggml.token_type", [1, 3, -1])
    values = (np.arange(9 * 70, dtype=np.float32).reshape(9, 70) - 300) * np.float32(0.013)
    w.add_tensor("vector", values[0, :5])
    w.add_tensor("matrix", values[:3, :4].copy())
    w.add_tensor("transposed", values.T.copy())
    w.add_tensor("half", values.astype(np.float16))
    bf16 = gguf.GGMLQuantizationType.BF16
    w.add_tensor("bfloat", gguf.quants.quantize(values.T.copy(), bf16), raw_dtype=bf16)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


# ---- the checks ----

def safetensors(path):
    """The float32 tensors of a safetensors file."""
    b = pathlib.Path(path).read_bytes()
    n = int.from_bytes(b[:8], "little")
    out = {}
    for name, t in json.loads(b[8:8 + n]).items():
        if name != "__metadata__":
            begin, end = t["data_offsets"]
            out[name] = np.frombuffer(b[8 + n + begin:8 + n + end], np.float32).reshape(t["shape"])
    return out


def logits(w, ids, heads, epsilon):
    """GPT-2 in float64, from the formulas of Radford et al. 2019."""
    w = {k: v.astype(np.float64) for k, v in w.items()}
    norm = lambda x, n: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon) * w[n + ".weight"] + w[n + ".bias"]
    linear = lambda x, n: x @ w[n + ".weight"] + w[n + ".bias"]
    x = w["wte.weight"][ids] + w["wpe.weight"][:len(ids)]
    mask = np.triu(np.full((len(ids), len(ids)), -np.inf), 1)
    for i in range(sum(k.endswith("ln_1.weight") for k in w)):
        h = f"h.{i}."
        q, k, v = (a.reshape(len(ids), heads, -1).swapaxes(0, 1) for a in np.split(linear(norm(x, h + "ln_1"), h + "attn.c_attn"), 3, -1))
        a = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1]) + mask
        a = np.exp(a - a.max(-1, keepdims=True))
        y = (a / a.sum(-1, keepdims=True) @ v).swapaxes(0, 1).reshape(x.shape)
        x = x + linear(y, h + "attn.c_proj")
        u = linear(norm(x, h + "ln_2"), h + "mlp.c_fc")
        x = x + linear(0.5 * u * (1 + np.tanh(np.sqrt(2 / np.pi) * (u + 0.044715 * u ** 3))), h + "mlp.c_proj")
    return norm(x, "ln_f") @ w.get("lm_head.weight", w["wte.weight"]).T


MODELS = {
    "bpe": "model: {arch: gpt2, layers: 2, heads: 2, width: 64, context: 64}\ntokenizer: {kind: bpe, vocab_size: 400}\n",
    "byte": "model: {arch: gpt2, layers: 1, heads: 4, width: 64, context: 64, untied_head: true, layer_norm_epsilon: 1e-4}\ntokenizer: {kind: byte}\n",
    "gpt2-vocabulary": "model: {arch: gpt2, layers: 1, heads: 2, width: 32, context: 64}\ntokenizer: {kind: gpt2}\n",
}
BOUND = {"float32": 0.01, "float16": 0.02, "bfloat16": 0.1}  # of logits, which reach 10


def check_model(gpt, work, name):
    from llama_cpp import Llama  # here, for --testdata does without
    run, config = work / name, work / f"{name}.yaml"
    config.write_text(MODELS[name] + "data: {val_fraction: 0.2}\n"
                      "train: {steps: 150, batch_size: 4, learning_rate: 3e-3, warmup_steps: 5, eval_interval: 150, sample_interval: 0}\n")
    (work / "text.txt").write_text(TEXT * 20)
    gpt("train", "--config", config, "--data", work / "text.txt", "--run", run)
    weights = safetensors(run / "best.safetensors")
    for dtype, bound in BOUND.items():
        folder = work / f"{name}-{dtype}"
        what = f"{name} in {dtype}: "
        with check(what + "gguf reads the export"):
            gpt("export", "--run", run, "--to", folder, "--as", "gguf", "--dtype", dtype)
            file = gguf.GGUFReader(folder / "model.gguf")
            tensors = {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in file.tensors}
            # [out, in] there, [in, out] here.
            assert np.allclose(tensors["blk.0.ffn_up.weight"].T, weights["h.0.mlp.c_fc.weight"], rtol={"float32": 0, "float16": 2 ** -11, "bfloat16": 2 ** -8}[dtype], atol=1e-7)
            assert sum(t.size for t in tensors.values()) == sum(t.size for t in weights.values())
        with check(what + "llama.cpp loads it"):
            llama = Llama(str(folder / "model.gguf"), n_ctx=64, logits_all=True, verbose=False)
        if dtype == "float32":
            with check(what + "token ids"):
                for text in SAMPLES:
                    got = llama.tokenize(text.encode(), add_bos=False)
                    want = [int(i) for i in gpt("tokenizer", "encode", "--tokenizer", run, "--", text).split()]
                    assert got == want, f"{text!r}\nllama.cpp {got}\ngpt       {want}"
                    assert llama.detokenize(got).decode() == text
        with check(what + f"logits within {bound} of the formulas in float64"):
            ids = llama.tokenize(TEXT.encode(), add_bos=True)[:48]
            assert ids[0] == llama.token_bos() == llama.token_eos()
            llama.reset()
            llama.eval(ids)
            heads = 4 if name == "byte" else 2
            want = logits(weights, ids, heads, 1e-4 if name == "byte" else 1e-5)
            off = np.abs(np.array(llama.scores[:len(ids)]) - want).max()
            print(f"       {name} in {dtype}: logits up to {np.abs(want).max():.1f}, llama.cpp is off by {off:.1e}")
            assert off < bound, off
        if dtype == "float32":
            with check(what + "greedy text"):
                prompt, n = "The sea", 40
                got = llama(prompt, max_tokens=n, temperature=0, top_k=1)["choices"][0]["text"]
                want = gpt("sample", "--run", run, "--prompt", prompt, "--temperature", 0, "--max-tokens", n)
                assert (prompt + got).rstrip("\n") == want.rstrip("\n"), f"llama.cpp {prompt + got!r}\ngpt       {want!r}"


def checks(gpt, work):
    for name in MODELS:
        check_model(gpt, work, name)


if __name__ == "__main__":
    main(__doc__, testdata, checks)
