package run

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
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
		r, err := Create("", []string{"a.yaml", "x/a.yaml", "b"}[i], Text, c, tokenizer.NewByte(), nil)
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
	if dir, err := Latest(Root, Writers()...); err != nil || dir != filepath.FromSlash("runs/a-1") {
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

// The tokens of a run are read from its folder only if they are those of its
// texts and tokenizer, whole and undamaged.
func TestStreams(t *testing.T) {
	t.Chdir(t.TempDir())
	c := config(t)
	r, err := Create("mine", "", Text, c, tokenizer.NewByte(), nil)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := LoadTexts(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	training, validation, err := texts.Streams(r.Tokenizer, c.Model.Context)
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		a, b, err := r.Streams(texts)
		if err != nil || !reflect.DeepEqual(a, training) || !reflect.DeepEqual(b, validation) {
			t.Errorf("%s: the streams are others: %v", when, err)
		}
		if b, err = r.Validation(texts); err != nil || !reflect.DeepEqual(b, validation) {
			t.Errorf("%s: the validation stream is another: %v", when, err)
		}
	}
	path := filepath.Join("mine", "training.tokens")
	check("without a cache")
	made, err := os.ReadFile(path)
	if err != nil {
		t.Fatal("no cache is made: ", err)
	}
	check("from the cache")
	made[len(made)/2] ^= 1
	if err := os.WriteFile(path, made, 0o644); err != nil {
		t.Fatal(err)
	}
	check("from a damaged cache")
	if again, _ := os.ReadFile(path); reflect.DeepEqual(again, made) {
		t.Error("the damaged cache is left as it was")
	}
	// Another tokenizer of the same ids' width, then another text.
	if r.Tokenizer, err = tokenizer.NewChar(texts.Whole.Texts()); err != nil {
		t.Fatal(err)
	}
	if training, validation, err = texts.Streams(r.Tokenizer, c.Model.Context); err != nil {
		t.Fatal(err)
	}
	check("from another tokenizer's cache")
	c.Data.ValFraction = 0.2
	if texts, err = LoadTexts(c.Data); err != nil {
		t.Fatal(err)
	}
	if training, validation, err = texts.Streams(r.Tokenizer, c.Model.Context); err != nil {
		t.Fatal(err)
	}
	check("from another split's cache")
	if err := os.RemoveAll("mine"); err != nil {
		t.Fatal(err)
	}
	check("without a folder")
}

// A tokenizer from a file is taken as it is; GPT-1's gets an end of text.
func TestTokenizerFile(t *testing.T) {
	texts := &Texts{}
	dir := t.TempDir()
	plain, err := tokenizer.WithSpecialTokens(tokenizer.NewByte(), "<a>")
	if err != nil {
		t.Fatal(err)
	}
	if err := tokenizer.Save(dir, plain, 0); err != nil {
		t.Fatal(err)
	}
	got, err := NewTokenizer(configs.Tokenizer{File: dir}, texts)
	if err != nil || tokenizer.Fingerprint(got) != tokenizer.Fingerprint(plain) {
		t.Errorf("%v, %v", got, err)
	}
	got, err = NewTokenizer(configs.Tokenizer{File: filepath.FromSlash("../tokenizer/testdata/golden/lowercase")}, texts)
	if err != nil || int(got.EndOfText()) != got.VocabSize()-1 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := NewTokenizer(configs.Tokenizer{File: "none"}, texts); err == nil {
		t.Error("no file, no error")
	}
}

// foreign is a tokenizer that can't be saved.
type foreign struct{ tokenizer.Tokenizer }

// A folder that can't be completed goes again.
func TestCreateFails(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Create("", "a", Text, config(t), foreign{tokenizer.NewByte()}, nil); err == nil {
		t.Fatal("a foreign tokenizer was saved")
	}
	if dirs, _ := filepath.Glob("runs/*"); dirs != nil {
		t.Errorf("left behind: %v", dirs)
	}
}
