// Package training trains word vectors from a configuration: it makes the text and its
// vocabulary, runs a model of word2vec or GloVe over it, measures a held-out objective,
// and keeps a run's folder: config.yaml aside, metrics.jsonl, loss.svg, last.safetensors
// (the checkpoint) and the vectors.
package training
