"""Writes a text and the phrases that gensim finds in it, for embedding/phrases' tests.

  python study/verify/python/phrases_golden.py embedding/phrases/testdata

Needs gensim 4, numpy.
"""
import json
import os
import sys

import numpy as np
from gensim.models.phrases import Phrases

folder = sys.argv[1]
rng = np.random.default_rng(3)
common = [f"w{i}" for i in range(40)]
pairs = [("new", "york"), ("san", "francisco"), ("ice", "cream"), ("w1", "w2"), ("very", "very")]
lines = []
for _ in range(400):
    line = []
    for _ in range(rng.integers(1, 9)):
        if rng.random() < 0.15:
            line += pairs[rng.integers(len(pairs))]
        else:
            line.append(common[int(rng.zipf(1.6)) % 40])
    lines.append(line)
with open(os.path.join(folder, "text.txt"), "w") as f:
    for line in lines:
        print(*line, file=f)
total = sum(map(len, lines))
golden = {}
# gensim's default score has the number of different words and pairs where word2phrase has
# that of all words.
vocabulary = len(Phrases(lines, min_count=3, threshold=1).vocab)
for name, scoring, threshold, scale in ("mikolov", "default", 3.0, total / vocabulary), ("npmi", "npmi", 0.3, 1):
    p = Phrases(lines, min_count=3, threshold=threshold / scale, scoring=scoring)
    golden[name] = {
        "threshold": threshold,
        "phrases": {k: v * scale for k, v in p.find_phrases(lines).items()},
        "joined": [p[line] for line in lines],
    }
with open(os.path.join(folder, "golden.json"), "w") as f:
    json.dump(golden, f)
