package finetune_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"tinygpt/configs"
	"tinygpt/data/labelled"
	"tinygpt/run"
)

// A model is fine-tuned on a table with labels, from random weights here, and asked.
func Example() {
	dir, err := os.MkdirTemp("", "finetune")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	table := filepath.Join(dir, "train.tsv")
	rows := "text\tlabel\n" + strings.Repeat("Mia was happy.\tgood\nMax was sad.\tbad\n", 40)
	if err := os.WriteFile(table, []byte(rows), 0o644); err != nil {
		log.Fatal(err)
	}

	c, err := configs.Preset("finetune.yaml")
	if err != nil {
		log.Fatal(err)
	}
	c.Finetune.Train, c.Finetune.Scratch = table, true
	c.Tokenizer.Kind = "char"
	c.Model.Layers, c.Model.Heads, c.Model.Width, c.Model.Context = 1, 1, 16, 32
	c.Finetune.MinSteps, c.Train.LearningRate = 40, 0.01
	f, err := run.Finetune(c, run.FinetuneOptions{Dir: filepath.Join(dir, "mine")})
	if err != nil {
		log.Fatal(err)
	}
	result, err := f.Train(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("accuracy on the development set:", result.Dev.Score())

	t, err := run.OpenFinetuned(f.Dir)
	if err != nil {
		log.Fatal(err)
	}
	answers, err := t.Answers(context.Background(), []labelled.Example{{Texts: []string{"Max was sad."}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answers[0].Label)
	// Output:
	// accuracy on the development set: 1
	// bad
}
