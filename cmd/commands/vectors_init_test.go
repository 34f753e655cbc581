package commands

import "testing"

// Vectors of a run's tokens become the token table of a GPT, which trains on.
func TestVectorsInit(t *testing.T) {
	inTinyFolder(t)
	succeed(t, "train", "--config", "tiny.yaml", "--run", "base")
	contains(t, refused(t, 1, "vectors", "init"), "no vectors run")
	small := []string{"vectors", "train", "--set", "data.stories_bytes=150000", "--epochs", "1"}
	succeed(t, append(small, "--run", "words", "--dim", "16")...)
	contains(t, refused(t, 1, "vectors", "init", "--vectors", "words", "--config", "tiny.yaml"), "vectors train --tokenizer")
	succeed(t, append(small, "--run", "narrow", "--dim", "8", "--tokenizer", "base")...)
	contains(t, refused(t, 1, "vectors", "init", "--vectors", "narrow", "--config", "tiny.yaml"), "wide", "--dim 16")
	succeed(t, append(small, "--run", "tokens", "--dim", "16", "--tokenizer", "base")...)
	contains(t, succeed(t, "vectors", "init", "--vectors", "tokens", "--config", "tiny.yaml", "--run", "begun"), "begin with the vectors of tokens")
	contains(t, succeed(t, "train", "--from", "begun", "--config", "tiny.yaml", "--run", "trained"), "done")
}
