"""Writes vectors and what scikit-learn makes of them, for embedding/project's tests.

  python study/verify/python/tsne_golden.py embedding/project/testdata

Needs numpy, scikit-learn.
"""
import json
import os
import sys

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness

folder = sys.argv[1]
rng = np.random.default_rng(4)
centres = 2.0 * rng.standard_normal((12, 16))
rows = (centres[rng.integers(0, 12, 300)] + rng.standard_normal((300, 16)) * rng.uniform(0.3, 1.2, (300, 1))).astype(np.float32)
rows.tofile(os.path.join(folder, "vectors.f32"))
pca = PCA(2).fit(rows)
golden = {"sklearn": sklearn.__version__, "rows": 300, "dim": 16, "shares": pca.explained_variance_ratio_.tolist(),
          "pca": np.abs(pca.transform(rows)).round(6).tolist()[:20], "tsne": []}
for perplexity in 10, 30:
    t = TSNE(method="exact", init="pca", perplexity=perplexity)
    y = t.fit_transform(rows)
    golden["tsne"].append({"perplexity": perplexity, "kl": float(t.kl_divergence_), "trustworthiness": float(trustworthiness(rows, y, n_neighbors=12))})
with open(os.path.join(folder, "golden.json"), "w") as f:
    json.dump(golden, f, indent=1)
