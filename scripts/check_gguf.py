#!/usr/bin/env python3
"""Checks `gpt export --format gguf` against llama.cpp itself.

    pip install gguf llama-cpp-python numpy     # the second builds llama.cpp: needs cmake and a C++ compiler
    python scripts/check_gguf.py

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
import argparse, contextlib, os, pathlib, shlex, subprocess, sys, tempfile

import gguf
import numpy as np


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
