"""Checks that gensim reads the vectors that `gpt vectors convert` writes, number for
number, and writes the files that embedding/format's tests read.

  python study/verify/python/check_vectors.py check FOLDER
  python study/verify/python/check_vectors.py fixtures embedding/format/testdata

FOLDER has the same vectors as vectors.bin, vectors.txt, vectors.vec, vectors.glove.txt,
each also with .gz, and vectors.safetensors with vectors.tsv. Needs gensim 4, numpy.
"""
import json
import os
import struct
import sys

import gensim
import numpy as np
from gensim.models import KeyedVectors


def read_safetensors(path):
    with open(path, "rb") as f:
        (n,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(n))
        data = f.read()
    info = header["vectors"]
    start, end = info["data_offsets"]
    matrix = np.frombuffer(data[start:end], "<f4").reshape(info["shape"])
    with open(os.path.splitext(path)[0] + ".tsv", encoding="utf-8", newline="\n") as f:
        words = [line.rstrip("\n").rsplit("\t", 1)[0] for line in f]
    return words, matrix


def check(folder):
    words, matrix = read_safetensors(os.path.join(folder, "vectors.safetensors"))
    for name, options in {
        "vectors.bin": dict(binary=True),
        "vectors.txt": dict(),
        "vectors.vec": dict(),
        "vectors.glove.txt": dict(no_header=True),
    }.items():
        for ending in ("", ".gz"):
            path = os.path.join(folder, name + ending)
            kv = KeyedVectors.load_word2vec_format(path, **options)
            assert kv.index_to_key == words, f"{path}: other words"
            assert kv.vectors.shape == matrix.shape and np.array_equal(kv.vectors, matrix), f"{path}: other numbers"
            print(f"{path}: {len(words)} words of {matrix.shape[1]} numbers, equal bit for bit")
    print("gensim", gensim.__version__)


def fixtures(folder):
    kv = KeyedVectors(5)
    words = ["the", "naïve", "王", "king", "queen", "new_york", "3.14"]
    rng = np.random.default_rng(24)
    kv.add_vectors(words, rng.standard_normal((len(words), 5)).astype(np.float32))
    kv.save_word2vec_format(os.path.join(folder, "gensim.bin"), binary=True)
    kv.save_word2vec_format(os.path.join(folder, "gensim.txt"))
    kv.save_word2vec_format(os.path.join(folder, "gensim.glove.txt"), write_header=False)


if __name__ == "__main__":
    {"check": check, "fixtures": fixtures}[sys.argv[1]](sys.argv[2])
