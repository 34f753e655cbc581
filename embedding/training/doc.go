// Package training trains word vectors from a configuration: it reads the text, collects its
// vocabulary, trains a model of word2vec or GloVe, measures the objective on held-out text, and
// writes metrics.jsonl, loss.svg and last.safetensors (the checkpoint) into a run's folder.
package training
