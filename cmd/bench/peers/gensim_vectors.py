"""Trains word vectors with gensim, for `bench vectors`: gensim_vectors.py TEXT OUT MODEL THREADS EPOCHS SEED."""
import sys

from gensim.models import Word2Vec

text, out, model, threads, epochs, seed = sys.argv[1:]
trained = Word2Vec(
    corpus_file=text, sg=int(model == "sgns"), vector_size=100, window=5, negative=5, sample=1e-3, min_count=5,
    epochs=int(epochs), workers=int(threads), seed=int(seed))
trained.wv.save_word2vec_format(out, binary=True)
