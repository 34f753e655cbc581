package run

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tinygpt/configs"
	"tinygpt/tokenizer"
)

func config(t *testing.T) configs.Config {
	t.Helper()
	c := configs.Default()
	c.Data.StoriesBytes = 20000
	c.Tokenizer.Kind = "byte"
	c.Model.VocabSize = tokenizer.NewByte().VocabSize()
	return c
}

// A folder comes back as it was made; folders get numbers of their own, and the
// latest is the one that was written last.
func TestCreateOpenLatest(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Open(""); err == nil || !strings.Contains(err.Error(), "no run there yet: make one with `gpt train") {
		t.Errorf("no runs: %v", err)
	}
	for i, want := range []string{"runs/a-1", "runs/a-2", "runs/b-1"} {
		c := config(t)
		c.Train.Steps = 10 + i
		r, err := Create("", []string{"a.yaml", "x/a.yaml", "b"}[i], c, tokenizer.NewByte(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Dir != filepath.FromSlash(want) {
			t.Errorf("run %d is in %s, want %s", i, r.Dir, want)
		}
		// Modification times have a granularity.
		when := time.Now().Add(time.Duration(i-10) * time.Minute)
		if err := os.Chtimes(filepath.Join(r.Dir, configFile), when, when); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	if r.Dir != filepath.FromSlash("runs/b-1") || r.Config.Train.Steps != 12 || r.Tokenizer.Name() != "byte" {
		t.Errorf("the latest is %s with %d steps and tokenizer %s", r.Dir, r.Config.Train.Steps, r.Tokenizer.Name())
	}
	now := time.Now()
	if err := os.Chtimes(filepath.FromSlash("runs/a-1/config.yaml"), now, now); err != nil {
		t.Fatal(err)
	}
	if dir, err := Latest(Root); err != nil || dir != filepath.FromSlash("runs/a-1") {
		t.Errorf("the latest is %s: %v", dir, err)
	}
}

// The floor is that of the validation split alone, and unknown when the split
// cuts a story.
func TestFloor(t *testing.T) {
	c := config(t)
	texts, err := LoadTexts(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	if len(texts.Validation.Documents) < 3 || texts.Validation.Bytes() > 4000 {
		t.Fatalf("%d documents of %d bytes for validation", len(texts.Validation.Documents), texts.Validation.Bytes())
	}
	if f := texts.FloorBitsPerByte(); f < 0.1 || f > 0.5 {
		t.Errorf("floor of %v bits per byte", f)
	}
	if got, want := texts.FloorLoss(100)*100/math.Ln2, texts.FloorBitsPerByte()*float64(texts.Validation.Bytes()); math.Abs(got-want) > 1e-6*want {
		t.Errorf("the floor is %v bits per token and %v per byte", got, want)
	}
	c.Data.ValFraction = 0.001
	if texts, err = LoadTexts(c.Data); err != nil || texts.FloorBits != 0 {
		t.Errorf("a cut story has the floor %v: %v", texts.FloorBits, err)
	}
}

// foreign is a tokenizer that can't be saved.
type foreign struct{ tokenizer.Tokenizer }

// A folder that can't be completed goes again.
func TestCreateFails(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Create("", "a", config(t), foreign{tokenizer.NewByte()}, nil); err == nil {
		t.Fatal("a foreign tokenizer was saved")
	}
	if dirs, _ := filepath.Glob("runs/*"); dirs != nil {
		t.Errorf("left behind: %v", dirs)
	}
}
