package commands

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tinygpt/align"
	"tinygpt/configs"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// small makes each preset that the documentation trains with a matter of moments. They are
// written as files, which come before the presets of their names, so that the commands stay as
// they are in the text.
var small = map[string][]string{
	"small.yaml":        {"data.stories_bytes=40000", "tokenizer.vocab_size=300", "model.layers=2", "model.heads=2", "model.width=16", "model.context=128", "train.steps=4", "train.batch_size=2", "sample.max_tokens=8"},
	"shakespeare.yaml":  {"model.layers=1", "model.width=16", "model.heads=2", "model.context=16", "train.steps=4", "sample.max_tokens=8"},
	"fewshot.yaml":      {"data.stories_bytes=60000", "data.val_fraction=0.1", "tokenizer.vocab_size=300", "model.layers=1", "model.heads=2", "model.width=16", "model.context=1024", "train.steps=2", "train.batch_size=1", "sample.max_tokens=8"},
	"gpt2-124m.yaml":    {"model.layers=1", "model.width=16", "model.heads=2", "model.context=32"},
	"sentiment-zh.yaml": {"finetune.examples=20", "finetune.min_steps=2", "finetune.evaluations=1", "finetune.epochs=1", "train.batch_size=4"},
	"small-zh.yaml":     {"data.stories_bytes=40000", "tokenizer.vocab_size=300", "model.layers=1", "model.heads=2", "model.width=16", "model.context=256", "train.steps=4", "train.batch_size=2", "sample.max_tokens=8"},
	"sentiment.yaml":    {"finetune.examples=20", "finetune.min_steps=2", "finetune.evaluations=1", "finetune.epochs=1", "train.batch_size=4"},
	"finetune.yaml":     {"finetune.min_steps=2", "finetune.evaluations=1", "finetune.epochs=1"},
}

// smallAlign does so for the presets of alignment.
var smallAlign = []string{
	"world.scale=0.01", "world.max_tokens=8", "sft.epochs=1", "sft.evaluations=1", "reward.evaluations=1", "reward.most_answers=4",
	"ppo.updates=1", "ppo.episodes=4", "ppo.mini_batch=4", "ppo.eval_every=1", "grpo.updates=1", "grpo.episodes=4", "grpo.group=2",
	"grpo.mini_batch=4", "grpo.eval_every=1", "dpo.evaluations=1", "evaluation.prompts=4", "evaluation.during=2",
}

// shorter are flags that a command gets here, by how it begins, in place of its own of the same
// names.
var shorter = map[string][]string{
	"train --resume": {"--set", "train.steps=6"},
	"bench":          {"--help"}, // the tests of study/perf measure
	"serve":          {"--help"}, // TestServe serves
	"ablate":         {"--sizes", "10", "--seeds", "1", "--set", "finetune.min_steps=2", "--set", "finetune.evaluations=1"},
	"scaling table":  {"--accelerator", "100", "--mfu", "0.3"}, // TestScalingTable measures
	"fewshot":        {"--trials", "2"},
	"fewshot run":    {"--layers", "1", "--layers", "2"},
	"vectors ner":    {"--set", "ner.epochs=1", "--set", "ner.hidden=8"},
	"vectors train":  {"--set", "data.stories_bytes=150000", "--min-count", "1", "--dim", "16", "--epochs", "1"},
	// What so small a model prefers is no better than its words.
	"align ppo":          {"--force"},
	"align grpo":         {"--force"},
	"align all":          {"--force"},
	"align best-of":      {"--n", "2", "--prompts", "2"},
	"align overoptimise": {"--n", "2", "--held-out", "2", "--updates", "1"},
	"scaling run": {"--layers", "1", "--layers", "2", "--layers", "3", "--layers", "4", "--tokens", "2000", "--seeds", "1",
		"--set", "data.stories_bytes=100000", "--set", "data.val_fraction=0.1", "--set", "model.context=32", "--set", "tokenizer.vocab_size=300"},
}

// fewer are values that flags of finetune get here, where they are given.
var fewer = map[string]string{"--adapt": "4", "--examples": "20"}

// elsewhere are commands of other programs, and where they are run.
var elsewhere = map[string]string{
	"go test ./...":      "what runs this test",
	"go run ./cmd/bench": "needs other programs; cmd/bench/*_test.go",
}

// Every command in a block of the README and of docs/ works as it is written, on a small scale.
// A page is one session in a folder of its own, which begins with a trained run.
func TestDocs(t *testing.T) {
	if testing.Short() {
		t.Skip("runs all commands of the documentation")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	pages := []string{filepath.Join(root, "README.md")}
	err = filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		text := expect.File(t, page)
		name, _ := filepath.Rel(root, page)
		commands := commandsOf(string(text))
		if len(commands) == 0 || ranAlready(page, commands) {
			continue
		}
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			t.Chdir(t.TempDir())
			workspace(t, startOf(name))
			for _, command := range commands {
				if !t.Run(command, func(t *testing.T) { follow(t, command) }) {
					break // what comes after may need it
				}
			}
		})
	}
}

// ranAlready says that a page is a Chinese one with the same commands as the English one, in
// the same state.
func ranAlready(page string, commands []string) bool {
	dir, name := filepath.Split(page)
	if filepath.Base(dir) != "zh" || startOf(page) != startOf(name) {
		return false
	}
	english, err := os.ReadFile(filepath.Join(dir, "..", name))
	return err == nil && slices.Equal(commandsOf(string(english)), commands)
}

// startOf is the preset whose run a page begins with: the Chinese one on the pages whose
// commands use what it trains.
func startOf(page string) string {
	if dir, name := filepath.Split(page); filepath.Base(dir) == "zh" && (name == "README.md" || name < "6") {
		return "small-zh.yaml"
	}
	return "small.yaml"
}

// workspace fills the folder with what a reader of a page has.
func workspace(t *testing.T, start string) {
	t.Helper()
	for name, settings := range small {
		c, err := configs.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range settings {
			if err := c.Set(s); err != nil {
				t.Fatal(err)
			}
		}
		text, err := c.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		fixture.Write(t, name, string(text))
	}
	for _, name := range align.Presets() {
		c, _, err := align.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range smallAlign {
			if err := configs.SetIn(&c, s); err != nil {
				t.Fatal(err)
			}
		}
		text, err := configs.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		fixture.Write(t, name, string(text))
	}
	book := strings.Repeat("It was the first day of the year. Nobody knew what it would bring, and it was cold.\n", 1500)
	fixture.Write(t, "book.txt", book)
	fixture.Write(t, "input.txt", book)
	labelledFiles(t)
	fixture.Write(t, "task.jsonl", strings.Repeat(`{"question": "hot", "choices": ["cold", "warm"], "answer": "cold"}`+"\n", 20))
	succeed(t, "train", "--config", start)
}

// commandsOf are what a reader types of a page: the lines of its blocks that begin with go or
// with gpt, in blocks without a language, where what follows a $ sign counts if output is in
// the block as well; and the commands that begin with go run in the cells of its tables.
func commandsOf(page string) (commands []string) {
	block, language := false, ""
	for _, line := range strings.Split(page, "\n") {
		line = strings.TrimSpace(line) // blocks in lists are indented
		if fence, ok := strings.CutPrefix(line, "```"); ok {
			block, language = !block, fence
			continue
		}
		line = strings.TrimPrefix(line, "$ ")
		if block && language == "" && (strings.HasPrefix(line, "go ") || strings.HasPrefix(line, "gpt ")) {
			commands = append(commands, line)
		}
		if !block && strings.HasPrefix(line, "|") {
			for i, code := range strings.Split(line, "`") {
				if i%2 == 1 && strings.HasPrefix(code, "go run ./cmd/gpt ") {
					commands = append(commands, code)
				}
			}
		}
	}
	return commands
}

// follow runs a command of the documentation.
func follow(t *testing.T, command string) {
	if _, ok := elsewhere[command]; ok {
		return
	}
	rest, ok := strings.CutPrefix(command, "go run ./cmd/gpt ")
	if !ok {
		if rest, ok = strings.CutPrefix(command, "gpt "); !ok {
			t.Fatalf("%q: a command that this test doesn't know; see elsewhere", command)
		}
	}
	args := words(t, rest)
	for begin, more := range shorter {
		if begin := strings.Fields(begin); len(args) >= len(begin) && slices.Equal(args[:len(begin)], begin) {
			args = replaceFlags(args, more)
		}
	}
	for i := 1; args[0] == "finetune" && i < len(args); i++ {
		if value, ok := fewer[args[i-1]]; ok {
			args[i] = value
		}
	}
	if slices.Contains(args, "--engine") { // Gorgonia's graphs take a thousand times longer
		args = append(args, "--set", "data.stories_bytes=3000")
	}
	succeed(t, args...)
}

// replaceFlags adds flags with values to a command line, and takes out those of the same names;
// --set is for several settings.
func replaceFlags(args, more []string) []string {
	for i := 0; i < len(args)-1; {
		if name := args[i]; strings.HasPrefix(name, "--") && name != "--set" && slices.Contains(more, name) {
			args = slices.Delete(args, i, i+2)
		} else {
			i++
		}
	}
	return append(args, more...)
}

// words divides a command line as a shell does, with quotation marks and without anything else.
func words(t *testing.T, line string) (words []string) {
	t.Helper()
	var word strings.Builder
	inside, quote := false, rune(0)
	for _, r := range line + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inside = r, true
		case r == ' ':
			if inside {
				words = append(words, word.String())
			}
			word.Reset()
			inside = false
		case strings.ContainsRune("|&;<>$`\\*?", r):
			t.Fatalf("%q: %q is more of a shell than this test has", line, r)
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 {
		t.Fatalf("%q: a quotation mark is open", line)
	}
	return words
}
