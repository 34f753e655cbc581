package run

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tinygpt/configs"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

func config(t *testing.T) configs.Config {
	t.Helper()
	c := configs.Default()
	c.Data.StoriesBytes = 20000
	c.Tokenizer.Kind = "byte"
	c.Model.VocabSize = tokenizer.NewByte().VocabSize()
	return c
}

// trained begins a run, shared by a team unless that is nil, and trains it to its end.
func trained(t *testing.T, c configs.Config, dir string, team *Team) *Training {
	t.Helper()
	r, err := Start(c, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	r.Team = team
	if _, err := r.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// A folder comes back as it was made; folders get numbers of their own, and the
// latest is the one that was written last.
func TestCreateOpenLatest(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := Open("")
	expect.Error(t, err, "no run there yet: make one with `gpt train")
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
	// Of the steps of an alignment, in a folder without a configuration, the last one
	// that writes is what one talks with.
	for i, kind := range []Kind{SFT, PPO, Reward} {
		dir := filepath.Join(Root, "instruct-1", string(kind))
		file := filepath.Join(dir, configFile)
		fixture.Write(t, file, "kind: "+string(kind)+"\n")
		when := now.Add(time.Duration(i+1) * time.Minute)
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
	if dir, err := LatestToTalk(Root); err != nil || dir != filepath.FromSlash("runs/instruct-1/ppo") {
		t.Errorf("one talks with %s: %v", dir, err)
	}
	if dir, err := Latest(Root, Writers()...); err != nil || dir != filepath.FromSlash("runs/a-1") {
		t.Errorf("the latest is %s: %v", dir, err)
	}
	// A step that follows on another finds it there too. The models of a ladder, runs of
	// texts in a folder of their own, are nobody's latest run.
	fixture.Write(t, filepath.Join(Root, "ladder", "1x48", configFile), "kind: text\n")
	if dir, err := Latest(Root, Reward); err != nil || dir != filepath.FromSlash("runs/instruct-1/reward") {
		t.Errorf("the latest reward model is %s: %v", dir, err)
	}
	if dir := Named("instruct-1/ppo"); dir != filepath.FromSlash("runs/instruct-1/ppo") {
		t.Errorf("instruct-1/ppo is %s", dir)
	}
	// What a policy notes in place of a loss isn't shown as one.
	for _, step := range []string{"sft", "ppo"} {
		fixture.Write(t, filepath.Join(Root, "instruct-1", step, train.MetricsFile), `{"step":8,"val_loss":5.7}`)
	}
	list, err := List(Root)
	var names []string
	for _, r := range list {
		names = append(names, r.Name)
		if r.Kind == PPO && (r.Step != 8 || r.Loss != 0) || r.Kind == SFT && r.Loss != 5.7 {
			t.Errorf("%+v", r)
		}
	}
	if want := []string{"instruct-1/reward", "instruct-1/ppo", "instruct-1/sft", "a-1", "b-1", "a-2"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("runs are %q, want %q (%v)", names, want, err)
	}
	for dir, want := range map[string]string{
		"runs/instruct-1": "isn't the folder of a run, but has runs in it: name one of runs/instruct-1/ppo, runs/instruct-1/reward, runs/instruct-1/sft",
		"ppo":             "did you mean runs/instruct-1/ppo?",
		"b-11":            "no such folder, and no run of that name; did you mean runs/b-1?",
	} {
		if err := IsRun(dir); err == nil || !strings.HasSuffix(filepath.ToSlash(err.Error()), want) {
			t.Errorf("%s: %v, want %s", dir, err, want)
		}
	}
}

// A link to a run is listed with what is where it leads; removing it takes nothing away
// there.
func TestLink(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Write(t, filepath.Join("elsewhere", configFile), "kind: vectors\n")
	fixture.Write(t, filepath.Join("elsewhere", "vectors.tsv"), strings.Repeat("x", 5000))
	link := filepath.Join(Root, "link")
	if err := os.MkdirAll(Root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("..", "elsewhere"), link); err != nil {
		t.Skip(err)
	}
	if list, err := List(Root); err != nil || len(list) != 1 || list[0].Name != "link" || list[0].Bytes < 5000 {
		t.Errorf("%+v, %v", list, err)
	}
	if err := Remove(link + string(filepath.Separator)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(link); err == nil {
		t.Error("the link is still there")
	}
	for _, file := range []string{configFile, "vectors.tsv"} {
		if _, err := os.Stat(filepath.Join("elsewhere", file)); err != nil {
			t.Error(err)
		}
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
	m, err := Prepare(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f := m.FloorBitsPerByte(); f < 0.1 || f > 0.5 || f != texts.FloorBits/float64(texts.Validation.Bytes()) {
		t.Errorf("floor of %v bits per byte", f)
	}
	predicted := float64(len(m.Validation.Tokens) - 1)
	if got := m.FloorLoss() * predicted / math.Ln2; math.Abs(got-texts.FloorBits) > 1e-6*texts.FloorBits {
		t.Errorf("the floor is %v bits, and by tokens %v", texts.FloorBits, got)
	}
	c.Data.ValFraction = 0.001
	if texts, err = LoadTexts(c.Data); err != nil || texts.FloorBits != 0 {
		t.Errorf("a cut story has the floor %v: %v", texts.FloorBits, err)
	}
}

// The tokens of a run are read from its folder, also when its texts are gone; when they are
// missing or damaged, the texts are read again, if they are those that the run began with.
func TestMaterial(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(text string) {
		t.Helper()
		fixture.Write(t, "text.txt", text)
	}
	text := strings.Repeat("One and two and three. ", 200)
	write(text)
	c := config(t)
	c.Data.Files = []string{"text.txt"}
	c.Model.Layers, c.Model.Width, c.Model.Heads, c.Model.Context = 1, 4, 1, 16
	started, err := Start(c, Options{Dir: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	started.Close()
	if c.Data.Files[0] != "text.txt" || c.Model.VocabSize != config(t).Model.VocabSize {
		t.Errorf("Start changed the configuration: %+v", c)
	}
	want := started.Material
	check := func(when, mistake string) {
		t.Helper()
		r, err := Open("mine")
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Material()
		validation, _, failed := r.ValidationTokens()
		if mistake == "" {
			if err != nil || failed != nil || !reflect.DeepEqual(m.Training, want.Training) || !reflect.DeepEqual(m.Validation, want.Validation) || !reflect.DeepEqual(validation, want.Validation) {
				t.Errorf("%s: other tokens: %v, %v", when, err, failed)
			}
			return
		}
		if err == nil || failed == nil || !strings.Contains(err.Error(), mistake) || !strings.Contains(failed.Error(), mistake) {
			t.Errorf("%s: %v, %v, want %s", when, err, failed, mistake)
		}
	}
	validation := filepath.Join("mine", "validation.tokens")
	check("at first", "")
	whole := expect.File(t, validation)
	damaged := slices.Clone(whole)
	damaged[len(damaged)/2] ^= 1
	fixture.Write(t, validation, damaged)
	check("with damaged tokens", "")
	if again := expect.File(t, validation); !slices.Equal(again, whole) {
		t.Error("damaged tokens are left as they were")
	}
	write("Another text. " + text)
	check("with another text", "")
	fixture.Remove(t, validation)
	check("with another text and without tokens", "the texts are not those that the run began with")
	expect.NoFile(t, validation)
	fixture.Remove(t, "text.txt")
	check("without text and tokens", "text.txt: no such file")
	fixture.Write(t, validation, whole)
	check("without text", "")
	// It was never trained: it is resumed from its beginning.
	again, err := Resume("mine")
	if err != nil || again.First != 0 {
		t.Fatal("resumed without text: ", err)
	}
	again.Close()
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
