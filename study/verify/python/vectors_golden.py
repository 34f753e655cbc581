"""Writes what gensim, numpy and SciPy answer about random vectors, for embedding/query's
tests.

  python study/verify/python/vectors_golden.py embedding/query/testdata

Needs gensim 4, numpy, scipy.
"""
import json
import os
import sys

import numpy as np
from gensim.models import KeyedVectors
from scipy.stats import spearmanr

folder = sys.argv[1]
rng = np.random.default_rng(9)
# Pairs that share a direction, so that analogies have answers, and others.
base, shift = rng.standard_normal((30, 8)), 1.5 * rng.standard_normal((2, 8))
words, rows = [], []
for i, b in enumerate(base):
    words += [f"s{i}", f"p{i}", f"f{i}"]
    rows += [b, b + shift[0] + 0.4 * rng.standard_normal(8), b + shift[1] + 0.4 * rng.standard_normal(8)]
words += [f"x{i}" for i in range(60)]
rows += list(rng.standard_normal((60, 8)))
kv = KeyedVectors(8)
kv.add_vectors(words, np.array(rows, np.float32))
kv.save_word2vec_format(os.path.join(folder, "space.txt"))

with open(os.path.join(folder, "questions.txt"), "w") as f:
    for name, kind in ("plural", "p"), ("female", "f"):
        print(":", name, file=f)
        for i in range(30):
            for j in range(30):
                if i != j and (i + j) % 3 == 0:
                    print(f"s{i} {kind}{i} S{j} {kind}{j}", file=f)
        print("s1 p1 missing p2", file=f)
pairs = [(words[i], words[j], round(float(rng.uniform(0, 10)), 1)) for i, j in rng.integers(0, len(words), (50, 2))]
with open(os.path.join(folder, "pairs.tsv"), "w") as f:
    print("word1\tword2\tgrade", file=f)
    for p in pairs:
        print(*p, sep="\t", file=f)
    print("missing\ts1\t3", file=f)

unit = kv.get_normed_vectors().astype(np.float64)
index = {w: i for i, w in enumerate(words)}


def answers(method, a, b, c):
    A, B, C = (unit @ unit[index[w]] for w in (a, b, c))
    if method == "3cosadd":
        t = unit[index[b]] - unit[index[a]] + unit[index[c]]
        s = unit @ t / np.linalg.norm(t)
    elif method == "3cosmul":
        s = ((B + 1) / 2) * ((C + 1) / 2) / ((A + 1) / 2 + 1e-3)
    else:
        d = unit[index[b]] - unit[index[a]]
        x = unit - unit[index[c]]
        s = x @ d / np.maximum(np.linalg.norm(x, axis=1), 1e-9) / np.linalg.norm(d)
    for w in (a, b, c):
        s[index[w]] = -9
    order = np.argsort(-s, kind="stable")
    return [[words[i], float(s[i])] for i in order[:5]]


questions = [("s1", "p1", "s2"), ("s3", "f3", "s9"), ("x1", "x2", "x3")]
accuracy, sections = kv.evaluate_word_analogies(os.path.join(folder, "questions.txt"))
golden = {
    "neighbours": {w: kv.most_similar(w, topn=5) for w in ("s0", "x7")},
    "gensim_3cosadd": [kv.most_similar(positive=[b, c], negative=[a], topn=5) for a, b, c in questions],
    "questions": questions,
    "answers": {m: [answers(m, *q) for q in questions] for m in ("3cosadd", "3cosmul", "direction")},
    "sections": [[s["section"], len(s["correct"]), len(s["correct"]) + len(s["incorrect"])] for s in sections[:-1]],
    "spearman": float(spearmanr([float(unit[index[a]] @ unit[index[b]]) for a, b, _ in pairs], [g for _, _, g in pairs])[0]),
    "gensim_spearman": float(kv.evaluate_word_pairs(os.path.join(folder, "pairs.tsv"))[1][0]),
}
with open(os.path.join(folder, "golden.json"), "w") as f:
    json.dump(golden, f, indent=1)
