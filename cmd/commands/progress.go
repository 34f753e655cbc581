package commands

import (
	"tinygpt/internal/terminal"
	"tinygpt/tokenizer"
)

// learning has the training of a tokenizer on a text of that many bytes report to p.
func learning(p *terminal.Stages) func(bytes int) []tokenizer.TrainOption {
	return func(bytes int) []tokenizer.TrainOption {
		return []tokenizer.TrainOption{
			tokenizer.Counted(func(n int) { p.Show("counting words", n, bytes) }),
			tokenizer.Progress(func(n, total int) { p.Show("merging", n, total) }),
		}
	}
}
