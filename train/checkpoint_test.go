package train

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model"
)

// A damaged checkpoint is refused, whichever part is damaged.
func TestDamagedCheckpoint(t *testing.T) {
	dir := t.TempDir()
	trainer := newTrainer(t, dir, quick)
	if _, err := trainer.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, LastCheckpoint)
	intact := read(t, path)
	load := func(text []byte) error {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
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
	m, err := model.New(wider, 1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = LoadCheckpoint(path, m)
	expect.Error(t, err, "wte.weight")
}

func TestReadMetrics(t *testing.T) {
	path := filepath.Join(t.TempDir(), MetricsFile)
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
