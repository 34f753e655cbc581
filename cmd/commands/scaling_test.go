package commands

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/internal/expect"
)

func TestScalingTable(t *testing.T) {
	out := succeed(t, "scaling", "table", "gpt2", "--format", "csv")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, out, "124439808", "354823168", "774030080", "1557611200")
	contains(t, succeed(t, "scaling", "table", "--format", "markdown", "--accelerator", "100", "--mfu", "0.3"), "116,534,784", "24 heads × 128 are 3,072, not 2,048", "given, 100 TFLOP/s peak at 30 %")

	for _, args := range [][]string{{"table", "gpt9"}, {"table", "gpt1", "gpt2"}, {"table", "--format", "pdf"}, {"table", "--mfu", "2"}, {"table", "--memory", "-1"}, {"tabel"}} {
		if status, _, stderr := gpt(append([]string{"scaling"}, args...)...); status != 2 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d, %s", args, status, stderr)
		}
	}
}

func TestPlan(t *testing.T) {
	inTinyFolder(t)
	out := succeed(t, "plan", "--config", "tiny.yaml", "--set", "train.seed=7")
	contains(t, out, "Configuration: file tiny.yaml, with train.seed 7 (not ", "6 updates of 48 tokens (2 sequences of 24 at a time);", "It fits", "training this model")
	var report struct {
		Sections []struct {
			Rows []struct {
				Parameters int
				Seconds    float64 `json:"seconds_here"`
			}
			Advice []string
		}
	}
	if err := json.Unmarshal([]byte(succeed(t, "plan", "--config", "tiny.yaml", "--memory", "0.001", "--format", "json", "--set", "train.batch_size=64")), &report); err != nil {
		t.Fatal(err)
	}
	// 2 layers × 16 with 300 tokens and 24 positions.
	s := report.Sections[0]
	if want := 324*16 + 2*(12*16*16+13*16) + 2*16; s.Rows[0].Parameters != want || !(s.Rows[0].Seconds > 0) || !strings.Contains(s.Advice[0], "doesn't fit") {
		t.Errorf("%+v, want %d parameters", s, want)
	}

	contains(t, refused(t, 1, "plan", "--config", "sentiment.yaml"), "fine-tunes the model of a run")
}

// The texts of a ladder may come through a pipe; its folder doesn't name what nobody can open.
func TestScalingFromPipe(t *testing.T) {
	t.Chdir(t.TempDir())
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := exec.Command("mkfifo", pipe).Run(); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	go func() {
		if f, err := os.OpenFile(pipe, os.O_WRONLY, 0); err == nil {
			f.WriteString(strings.Repeat("They went to the market and bought bread. ", 100))
			f.Close()
		}
	}()
	ctx, cancel := context.WithCancel(context.Background())
	out := &interrupter{at: "4 models, ", stop: cancel}
	args := []string{"gpt", "scaling", "run", "--layers", "1,2,3,4", "--tokens", "4000", "--set", "data.val_fraction=0.1", "--set", "model.context=32", "--set", "tokenizer.vocab_size=260", "--data", pipe, "--to", "ladder"}
	if status := execute(ctx, args, out, io.Discard); status != 130 {
		t.Fatalf("exit %d\n%s", status, out.String())
	}
	kept := expect.File(t, "ladder/ladder.yaml")
	contains(t, string(kept), "    files:\n    - \"-\"\n")
}

func TestScalingRun(t *testing.T) {
	t.Chdir(t.TempDir())
	args := []string{"scaling", "run", "--layers", "1", "--layers", "2", "--layers", "3", "--layers", "4", "--tokens", "4000",
		"--set", "data.stories_bytes=100000", "--set", "data.val_fraction=0.1", "--set", "model.context=32", "--set", "tokenizer.vocab_size=300", "--to", "ladder"}
	out := succeed(t, args...)
	contains(t, out, "4 models, 1 × 48 to 4 × 96, each of 4,000 tokens", "4 × 96, seed 1:")
	// The same command goes on, and has nothing left to do.
	var found struct {
		Results []struct {
			Dir  string  `json:"dir"`
			Loss float64 `json:"loss"`
		} `json:"results"`
	}
	if err := json.Unmarshal([]byte(succeed(t, append(args, "--format", "json")...)), &found); err != nil || len(found.Results) != 4 || found.Results[3].Dir != "ladder/seed-1/4x96" || found.Results[3].Loss <= 0 {
		t.Errorf("%+v, %v", found, err)
	}
	contains(t, refused(t, 1, append(args, "--set", "train.learning_rate=0.1")...), "ladder holds a ladder with other settings")
	for _, wrong := range [][]string{{"--preset", "x"}, {"--layers", "3"}, {"--tokens", "0"}, {"--seeds", "0"}, {"more"}} {
		if status, _, stderr := gpt(append([]string{"scaling", "run"}, wrong...)...); status != 2 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d, %s", wrong, status, stderr)
		}
	}
}
