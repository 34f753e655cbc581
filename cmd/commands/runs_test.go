package commands

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/run"
)

// Runs are listed with what they reached; their names stand for their folders; one that is
// in work isn't removed.
func TestRuns(t *testing.T) {
	inTinyRun(t)
	succeed(t, "train", "--config", "tiny.yaml", "--set", "train.steps=3", "--run", "runs/other")
	contains(t, succeed(t, "runs"), "run     kind  parameters  steps    loss     disk  age\nother   text      11,", "\ntiny-1  text      11,", "  now\n")
	var list []run.Info
	if err := json.Unmarshal([]byte(succeed(t, "runs", "--format", "json")), &list); err != nil || len(list) != 2 || list[0].Name != "other" || list[0].Step != 3 || list[0].Loss <= 0 || list[1].Parameters == 0 {
		t.Errorf("%+v, %v", list, err)
	}
	contains(t, succeed(t, "plot", "tiny-1", "--format", "json"), `[{"run":"runs/tiny-1","steps":6,"training_loss":`)
	contains(t, succeed(t, "eval", "--run", "tiny-1"), "runs/tiny-1, step 6")
	contains(t, refused(t, 1, "eval", "--run", "tiny-2"), "tiny-2: no such folder, and no run of that name; did you mean runs/tiny-1?")

	// Wherever a run is named, its name in runs will do.
	contains(t, succeed(t, "config", "tiny-1"), "  layers: 2\n")
	ids := succeed(t, "tokenizer", "encode", "Mia went")
	for _, name := range []string{"tiny-1", "runs/tiny-1"} {
		if got := succeed(t, "tokenizer", "encode", "-t", name, "Mia went"); got != ids {
			t.Errorf("-t %s: %s, want %s", name, got, ids)
		}
	}
	succeed(t, "tokenizer", "export", "-t", "tiny-1", "--to", "tiny.tiktoken")
	contains(t, succeed(t, "train", "--config", "tiny.yaml", "--tokenizer", "tiny-1", "--set", "train.steps=1", "--run", "runs/third"), "done: 1 steps")
	contains(t, succeed(t, "train", "--from", "tiny-1", "--set", "train.steps=1", "--run", "runs/third-b"), "done: 1 steps")
	contains(t, succeed(t, "train", "--resume", "--run", "tiny-1"), "runs/tiny-1 is finished")
	succeed(t, "vectors", "train", "--tokenizer", "tiny-1", "--epochs", "1", "--dim", "4", "--set", "data.stories_bytes=20000", "--force", "--run", "runs/words")
	succeed(t, "vectors", "neighbours", "--run", "words", "a")
	contains(t, refused(t, 2, "tokenizer", "encode", "-t", "tniy-1", "Mia"), "no such file, folder or run; did you mean tiny-1?")
	succeed(t, "runs", "remove", "--yes", "third", "third-b", "words")

	contains(t, refused(t, 2, "eval", "tiny-1"), `eval takes flags only, found "tiny-1": did you mean --run tiny-1?`)
	contains(t, refused(t, 1, "vectors", "neighbours", "--run", "tiny-1", "a"), "runs/tiny-1 holds a run of kind text, expected vectors")

	unlock, err := run.Lock("runs/other")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, succeed(t, "runs"), "in work")
	contains(t, refused(t, 1, "runs", "remove", "other", "--yes"), "is in use by process ")
	unlock()
	os.Mkdir("letters", 0o755)
	for args, want := range map[string]string{"other": "add --yes", "letters": "not the folder of a run", "": "no run named"} {
		line := []string{"runs", "remove"}
		if args != "" {
			line = append(line, args)
		}
		if status, _, stderr := gpt(line...); status == 0 {
			t.Errorf("%q: exit 0", args)
		} else {
			contains(t, stderr, want)
		}
	}
	contains(t, succeed(t, "runs", "remove", "--yes", "other", "tiny-1"), "removed runs/other\nremoved runs/tiny-1\n")
	succeed(t, "train", "--config", "tiny.yaml", "--set", "train.steps=1", "--run", "here")
	t.Run("the folder that one is in", func(t *testing.T) {
		t.Chdir("here")
		contains(t, succeed(t, "runs", "remove", "--yes", "."), "removed .")
		expect.NoFile(t, filepath.Join("..", "here"))
	})
	if _, err := os.Stat("letters"); err != nil {
		t.Error(err)
	}
	contains(t, succeed(t, "runs"), "no runs here yet: make one with ")
}
