package train

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model/modeltest"
)

// A damaged checkpoint is refused, whichever part is damaged.
func TestDamagedCheckpoint(t *testing.T) {
	dir := t.TempDir()
	trainer := newTrainer(t, dir, quick)
	if _, err := trainer.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, LastCheckpoint)
	intact := expect.File(t, path)
	load := func(text []byte) error {
		fixture.Write(t, path, text)
		_, err := newTrainer(t, dir, quick).Resume()
		return err
	}
	if err := load(intact); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 7, 100, len(intact) / 2, len(intact) - 1} {
		expect.Error(t, load(intact[:n]), path)
	}
	for at := 8; at < len(intact); at += len(intact)/97 + 1 {
		altered := append([]byte(nil), intact...)
		altered[at] ^= 0x10
		expect.Error(t, load(altered), path)
	}
}

func TestUnsuitableCheckpoint(t *testing.T) {
	dir := t.TempDir()
	trainer := newTrainer(t, dir, quick)
	_, err := trainer.Resume()
	expect.Error(t, err, "stopped before its first checkpoint")
	path := filepath.Join(dir, LastCheckpoint)
	if err := SaveCheckpoint(path, trainer.Model, State{}); err != nil {
		t.Fatal(err)
	}
	_, err = trainer.Resume()
	expect.Error(t, err, "without the optimiser's state")
	wider := trainer.Model.Config
	wider.Width = 18
	m := modeltest.New(t, wider, 1)
	_, err = LoadCheckpoint(path, m)
	expect.Error(t, err, "wte.weight")
}

func TestReadMetrics(t *testing.T) {
	path := fixture.NewPath(t, MetricsFile)
	for text, want := range map[string]string{
		`{"step":1}` + "\n" + `{"step":2`:                   "",
		`{"step":1}` + "\n" + `{"step` + "\n{\"step\":3}\n": path + ":2: ",
	} {
		fixture.Write(t, path, text)
		all, err := ReadMetrics(path)
		if want == "" && (err != nil || len(all) != 1) || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: %v, %v", text, all, err)
		}
	}
}

// FuzzState: metadata of a checkpoint is refused, or is a state that a run can go on from.
func FuzzState(f *testing.F) {
	f.Add("12", "10", "3.5", "0.5", "4 8", "1m2s")
	f.Add("-1", "0", "NaN", "", "", "0s")
	f.Add("1", "2", "1e400", "+Inf", "9223372036854775808", "-1h")
	f.Fuzz(func(t *testing.T, step, bestStep, bestLoss, bestScore, stages, elapsed string) {
		meta := map[string]string{"step": step, "best_step": bestStep, "best_loss": bestLoss, "stages": stages, "elapsed": elapsed}
		if bestScore != "" {
			meta["best_score"] = bestScore
		}
		s, err := parseState(meta)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %v", err)
			}
			return
		}
		if s.Step < 0 || s.BestStep < 0 || s.BestStep > s.Step || !finite(s.BestLoss) || !finite(s.BestScore) || s.Elapsed < 0 {
			t.Errorf("%+v", s)
		}
		for _, n := range s.Stages {
			if n < 0 || n > s.Step {
				t.Errorf("stage at %d of %d", n, s.Step)
			}
		}
	})
}

// FuzzMetrics: lines of metrics are refused in one line, or written and read again as they
// were.
func FuzzMetrics(f *testing.F) {
	for _, s := range []string{`{"step":1,"loss":2.5}`, `{"step":-1}`, `{"step":1e30}`, `null`, `[]`, `{"step":1,"values":{"a":1}}`, `{"step":1}` + "\n{", `{"loss":1e999}`} {
		f.Add([]byte(s + "\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := ParseMetrics(bytes.NewReader(text), "metrics.jsonl")
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %v", err)
			}
			return
		}
		var written, twice bytes.Buffer
		if err := WriteMetrics(&written, all); err != nil {
			t.Fatal(err)
		}
		again, err := ParseMetrics(bytes.NewReader(written.Bytes()), "again")
		if err := errors.Join(err, WriteMetrics(&twice, again)); err != nil || !bytes.Equal(written.Bytes(), twice.Bytes()) {
			t.Errorf("%s comes back as %s: %v", &written, &twice, err)
		}
	})
}
