package train_test

import (
	"context"
	"fmt"
	"strings"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/model"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// A tiny model learns a text by heart, one update at a time.
func ExampleTrainer_Step() {
	tok := tokenizer.NewByte()
	text := data.Corpus{Documents: []data.Document{{Text: strings.Repeat("to be or not to be, ", 50)}}}
	stream, err := data.Tokenize(text, tok)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := model.New(model.Config{Arch: model.GPT2, Layers: 2, Heads: 2, Width: 32, Context: 32, VocabSize: tok.VocabSize()}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	c := configs.Default().Train
	c.Steps, c.BatchSize, c.LearningRate, c.WarmupSteps = 100, 4, 1e-2, 10
	t := &train.Trainer{
		Config: c, Model: m,
		Objective: &train.LanguageModel{Text: stream, Order: data.Random, Seed: c.Seed, Accumulation: 1},
	}
	var last train.Metrics
	for range c.Steps {
		if last, err = t.Step(context.Background()); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Printf("after %d steps the loss is below 0.3 nats per token: %t\n", last.Step, last.Loss < 0.3)
	// Output: after 100 steps the loss is below 0.3 nats per token: true
}
