package commands

import (
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

func TestGraph(t *testing.T) {
	inTinyRun(t)
	for _, k := range []struct {
		args []string
		want string // in the picture
	}{
		{[]string{}, "GPT-2, 12 layers × 128: 2,543,360 parameters"},
		{[]string{"--config", "gpt1.yaml", "--set", "model.layers=3"}, "× 3 layers"},
		{[]string{"--layer", "2", "--run", "runs/tiny-1"}, "GPT-2, 2 layers × 16, layer 2: 3,280 parameters"},
		{[]string{"--unfold", "--run", "runs/tiny-1"}, "layer 2"},
	} {
		contains(t, succeed(t, append([]string{"graph"}, k.args...)...), "wrote graph.svg (")
		picture := expect.File(t, "graph.svg")
		contains(t, string(picture), k.want)
	}
	contains(t, succeed(t, "graph", "--to", "graph.dot"), "wrote graph.dot")

	fixture.Write(t, "labels.tsv", "text\tlabel\n"+strings.Repeat("Mia was happy.\tyes\nTom was sad.\tno\n", 20))
	succeed(t, "finetune", "--data", "labels.tsv", "--set", "finetune.min_steps=1", "--epochs", "1", "--run", "tuned")
	contains(t, succeed(t, "graph", "--run", "tuned", "--to", "tuned.svg"), "wrote tuned.svg")
	picture := expect.File(t, "tuned.svg")
	contains(t, string(picture), "Last tokens", "Sum of gradients", "score.weight")

	refuse(t, `
2 | graph x | flags only
2 | graph --to graph.gif | ends in .svg, .png or .dot
2 | graph --run runs/tiny-1 --config tiny.yaml | both --run and --config
2 | graph --layer 1 --unfold | both --layer and --unfold
2 | graph --config tiny.yaml --layer 3 | layers 1 to 2
1 | graph --config sentiment.yaml | with --run FOLDER
1 | graph --run nowhere | nowhere: no such folder
`)
}
