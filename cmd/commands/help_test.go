package commands

import (
	"strings"
	"testing"

	"tinygpt/internal/terminal"
)

// Every command's help has 80 columns, and an explanation for each command and flag.
func TestHelp(t *testing.T) {
	t.Chdir(t.TempDir())
	lines := []string{"", "tokenizer", "align", "vectors", "scaling"}
	for name := range allCommands() {
		if name != completeCommand {
			lines = append(lines, name)
		}
	}
	for _, line := range lines {
		text := succeed(t, append(strings.Fields(line), "--help")...)
		for row := range strings.Lines(text) {
			if row = strings.TrimRight(row, "\n"); terminal.Columns(row) > helpWidth || strings.HasSuffix(row, " ") {
				t.Errorf("gpt %s --help: %q", line, row)
			}
		}
		if explained := succeed(t, append([]string{"help"}, strings.Fields(line)...)...); len(strings.Fields(line)) < 2 && explained != text {
			t.Errorf("gpt help %s and gpt %s --help differ", line, line)
		}
	}
	contains(t, succeed(t, "fewshot", "--help"), "USAGE:\n   gpt fewshot [COMMAND] [options]\n", `   {"question": "hot"`,
		"\n   -t, --task TASK      TASK of the built-in world (opposites, sorting, sums,\n                        patterns,",
		"\n   --layout TEXT        how an example is written", "\n   --trials N           ask N questions of each task (default: 400)\n", "\n   --format VALUE       text, markdown, csv or json, which has a line for each\n                        result (default: text)\n")
	contains(t, succeed(t, "sample", "--help"), "\n   --repetition-penalty X\n                        divide positive logits")
	contains(t, succeed(t, "align", "--help"), "USAGE:\n   gpt align COMMAND [options]\n", "\n   overoptimise         optimise reward models")
	contains(t, succeed(t, "import", "--help"), "USAGE:\n   gpt import [options] DIR\n")
}

// On a narrow terminal help keeps to its width.
func TestHelpOnNarrowTerminal(t *testing.T) {
	s := &narrow{}
	execute(t.Context(), []string{"gpt", "sample", "--help"}, s, s)
	for row := range strings.Lines(s.String()) {
		if terminal.Columns(strings.TrimRight(row, "\n")) > 50 {
			t.Errorf("%q", row)
		}
	}
}

// narrow is a terminal of 50 columns.
type narrow struct{ strings.Builder }

func (*narrow) Columns() int { return 50 }

// The help of train names the presets that train takes, and none of a fine-tuning.
func TestTrainPresets(t *testing.T) {
	text := succeed(t, "train", "--help")
	contains(t, text, "small-zh.yaml", "gpt2-124m.yaml")
	if strings.Contains(text, "sentiment.yaml") {
		t.Error(text)
	}
}
