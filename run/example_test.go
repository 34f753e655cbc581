package run_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"tinygpt/configs"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/train"
)

// small is a model that trains in a moment on the built-in stories.
func small() configs.Config {
	c := configs.Default()
	c.Data.StoriesBytes, c.Tokenizer.VocabSize = 20_000, 300
	c.Model.Layers, c.Model.Heads, c.Model.Width, c.Model.Context = 1, 1, 8, 16
	c.Train.Steps, c.Train.EvalInterval, c.Train.CheckpointInterval, c.Train.SampleInterval = 10, 5, 5, 0
	c.Sample.MaxTokens = 4
	return c
}

func temporary() string {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		log.Fatal(err)
	}
	return dir
}

// A run is begun with a configuration, trained, opened again and measured.
func ExampleStart() {
	dir := temporary()
	defer os.RemoveAll(dir)
	t, err := run.Start(small(), run.Options{Dir: filepath.Join(dir, "mine")})
	if err != nil {
		log.Fatal(err)
	}
	result, err := t.Train(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.State.Step, "steps")

	r, err := run.Open(t.Dir)
	if err != nil {
		log.Fatal(err)
	}
	m, _, err := r.Model("last")
	if err != nil {
		log.Fatal(err)
	}
	weights, err := m.Weights(model.Float32)
	if err != nil {
		log.Fatal(err)
	}
	tokens, floor, err := r.ValidationTokens()
	if err != nil {
		log.Fatal(err)
	}
	e, err := train.NewEvaluator(weights, tokens).Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("measured again:", e.Loss == result.Final.Loss)
	fmt.Println("above the floor:", e.BitsPerByte() > floor)
	// Output:
	// 10 steps
	// measured again: true
	// above the floor: true
}

// A run that has made all its steps goes on with more.
func ExampleResume() {
	dir := temporary()
	defer os.RemoveAll(dir)
	t, err := run.Start(small(), run.Options{Dir: filepath.Join(dir, "mine")})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := t.Train(context.Background()); err != nil {
		log.Fatal(err)
	}
	t, err = run.Resume(t.Dir, "train.steps=12")
	if err != nil {
		log.Fatal(err)
	}
	result, err := t.Train(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("from step", t.First, "to", result.State.Step)
	// Output: from step 10 to 12
}
