package ladder

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/capacity"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// The rule gives GPT-2's own models from its own scale, but for the fourth's odd head.
func TestShapeAt(t *testing.T) {
	for layers, want := range map[int]Shape{12: {1, 768, 12}, 24: {2, 1024, 16}, 36: {3, 1280, 20}} {
		s := shapeAt(layers/12, 64)
		if s.Layers != want.Layers || 4*s.Width != want.Width || 4*s.Heads != want.Heads {
			t.Errorf("%d layers: %+v", layers, s)
		}
	}
}

// Each preset has six sizes at least, over two orders of magnitude, that are sound models.
func TestPresets(t *testing.T) {
	for _, name := range Presets() {
		l, err := New(name)
		if err != nil {
			t.Fatal(err)
		}
		var sizes []float64
		for _, r := range l.Rungs() {
			c := r.Config.Model
			c.VocabSize = 512
			if err := errors.Join(c.Validate(), r.Config.Train.Validate()); err != nil {
				t.Error(err)
			}
			sizes = append(sizes, float64(c.Counts().NonEmbedding()))
		}
		if n := len(sizes); n < 6 || sizes[n-1] < 100*sizes[0] || !slices.IsSorted(sizes) {
			t.Errorf("%s: sizes %v", name, sizes)
		}
		if got := l.Tokens(); got < 900_000 {
			t.Errorf("%s: %d tokens", name, got)
		}
	}
	if _, err := New("fortnight"); err == nil {
		t.Error("an unknown preset")
	}
	l, _ := New(Presets()[0])
	for _, layers := range [][]int{{1, 2, 3}, {1, 2, 3, 1000000000}, {1, 2, 2, 3}, {0, 1, 2, 3}, {4, 3, 2, 1}} {
		if err := l.SetLayers(layers); err == nil {
			t.Errorf("%v layers", layers)
		}
	}
}

// A ladder with a model that is too large is refused before its first model is trained.
func TestTooLarge(t *testing.T) {
	defer capacity.Pretend(1 << 24)()
	l, r := tiny(t, fixture.NewPath(t, "large"))
	if err := l.SetLayers([]int{1, 2, 3, 300}); err != nil {
		t.Fatal(err)
	}
	_, err := l.Run(t.Context())
	expect.OneLine(t, err, "the model of 300 × 1208: this training needs about", "and this computer has 16.0 MiB: lower the layers")
	if expect.NoFile(t, l.Dir); r.steps > 0 {
		t.Errorf("%d steps", r.steps)
	}
}

// tiny is a ladder that takes a moment.
func tiny(t *testing.T, dir string) (*Ladder, *record) {
	t.Helper()
	l, err := New(Presets()[0])
	if err != nil {
		t.Fatal(err)
	}
	l.Config.Data.StoriesBytes, l.Config.Data.ValFraction, l.Config.Model.Context, l.HeadWidth = 60_000, 0.1, 24, 4
	l.Config.Tokenizer.VocabSize = 300
	if err := l.SetLayers([]int{1, 2, 3, 4}); err != nil {
		t.Fatal(err)
	}
	l.SetTokens(12 * 24)
	r := &record{}
	l.Dir, l.Report, l.Learning = dir, r, func(int) []tokenizer.TrainOption { return nil }
	return l, r
}

// record is a Report that calls stop after some steps.
type record struct {
	steps     int
	stopAfter int
	stop      func()
	before    int
	closed    bool
	done      float64
}

func (r *record) Begin(_ Rung, _, _ int, done, share float64) { r.done = done + share }
func (r *record) Step(train.Metrics, int) {
	r.steps++
	if r.steps == r.stopAfter {
		r.stop()
	}
}
func (r *record) Done(_ Result, before bool) {
	if before {
		r.before++
	}
}
func (r *record) Close() { r.closed = true }

// A ladder that was stopped in its second model goes on there, and ends with the losses
// of one that was not.
func TestResume(t *testing.T) {
	l, r := tiny(t, t.TempDir())
	want, err := l.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != 4 || r.steps != 4*12 || !r.closed || math.Abs(r.done-1) > 1e-9 {
		t.Fatalf("%d results, %+v", len(want), r)
	}
	if n := want[3].NonEmbedding; n != (model.Config{Arch: model.GPT2, Layers: 4, Width: 24, Heads: 6, Context: 24, VocabSize: 300}).Counts().NonEmbedding() {
		t.Errorf("%d parameters", n)
	}

	dir := t.TempDir()
	l, r = tiny(t, dir)
	ctx, stop := context.WithCancel(context.Background())
	r.stopAfter, r.stop = 17, stop
	if got, err := l.Run(ctx); !errors.Is(err, train.ErrInterrupted) || len(got) != 1 {
		t.Fatalf("%d results, %v", len(got), err)
	}
	l, r = tiny(t, dir)
	stopped := filepath.Join(l.Rungs()[1].Dir, train.LastCheckpoint)
	before := expect.File(t, stopped)
	got, err := l.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.steps != 4*12-17 || r.before != 1 {
		t.Errorf("%+v", r)
	}
	for i := range want {
		if got[i].Loss != want[i].Loss || got[i].BitsPerByte != want[i].BitsPerByte {
			t.Errorf("%s: loss %v, without a stop %v", got[i].Shape, got[i].Loss, want[i].Loss)
		}
	}

	// A model's time is that of all its steps, not of those since it was resumed.
	lines, err := train.ReadMetrics(filepath.Join(l.Rungs()[1].Dir, train.MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	seconds, steps := 0.0, 0
	for _, m := range lines {
		if m.TokensPerSec > 0 {
			seconds += float64(l.Config.Train.BatchSize*l.Config.Model.Context) / m.TokensPerSec
			steps++
		}
	}
	if steps != 12 {
		t.Errorf("%d steps have a speed", steps)
	}
	expect.Near(t, "seconds of the model that was resumed", got[1].Seconds, seconds, 1e-3*seconds)

	// Again there is nothing to do, and a seed more is only that seed.
	l, r = tiny(t, dir)
	l.Seeds = 2
	if got, err = l.Run(context.Background()); err != nil || r.before != 4 || r.steps != 4*12 || got[4].Loss == got[0].Loss {
		t.Errorf("%+v, %v", r, err)
	}

	// Metrics that are ahead of the last checkpoint, as after a kill, don't make a model trained.
	after := expect.File(t, stopped)
	fixture.Write(t, stopped, before)
	l, r = tiny(t, dir)
	if _, err := l.Run(context.Background()); err != nil || r.before != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if again := expect.File(t, stopped); len(after) == 0 || !bytes.Equal(again[len(again)/2:], after[len(after)/2:]) {
		t.Error("other weights than without the kill")
	}

	l, _ = tiny(t, dir)
	l.Config.Train.LearningRate *= 2
	_, err = l.Run(context.Background())
	expect.Error(t, err, "other settings")
}

// Models are compared on the same texts: those of a ladder that is trained on a file may
// not change, even between two models, nor when nothing is left to train.
func TestTextsChange(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.txt")
	fixture.Write(t, text, strings.Repeat("They went to the market and bought bread. ", 400))
	start := func() (*Ladder, *record) {
		l, r := tiny(t, filepath.Join(dir, "ladder"))
		l.Config.Data.Files, l.Config.Data.StoriesBytes = []string{text}, 0
		return l, r
	}
	l, r := start()
	ctx, stop := context.WithCancel(context.Background())
	r.stopAfter, r.stop = 12, stop // the first model is trained, the second one isn't begun
	if _, err := l.Run(ctx); !errors.Is(err, train.ErrInterrupted) {
		t.Fatal(err)
	}
	before := expect.File(t, text)
	fixture.Write(t, text, strings.Repeat("They stayed at home and drank some tea. ", 400))
	l, _ = start()
	_, err := l.Run(context.Background())
	expect.OneLine(t, err, "the texts are not those that the ladder began with")
	fixture.Write(t, text, string(before))
	l, _ = start()
	if _, err := l.Run(context.Background()); err != nil {
		t.Error(err)
	}
}

// synthetic is a ladder whose losses lie on 0.2 + (20000/N)^0.5, with curves.
func synthetic() (results []Result) {
	for i, n := range []int64{30_000, 100_000, 250_000, 450_000, 1_200_000, 3_300_000} {
		bits := 0.2 + math.Sqrt(20_000/float64(n))
		r := Result{Shape: shapeAt(i+1, 16), Seed: 1, NonEmbedding: n, Parameters: n + 30_000, Tokens: 1000, FLOP: 6e6 * float64(n), Loss: 2 * bits, BitsPerByte: bits}
		for s := 1; s <= 100; s++ {
			r.metrics = append(r.metrics, train.Metrics{Step: s, Loss: r.Loss * (1 + 4/float64(s))})
		}
		r.metrics = append(r.metrics, train.Metrics{Step: 100, ValLoss: r.Loss})
		results = append(results, r)
	}
	return results
}

func TestAnalyse(t *testing.T) {
	a, err := Analyse(synthetic(), 0.186)
	if err != nil {
		t.Fatal(err)
	}
	p := a.Size.Prediction
	if p.Off > 0.001 || math.Abs(a.Size.All.E-0.2) > 0.002 || math.Abs(a.Size.All.Alpha-0.5) > 0.01 || a.Size.All.R2 < 0.9999 || p.Shape != shapeAt(6, 16) {
		t.Errorf("%+v", a.Size)
	}
	// A largest model that isn't on the law of the others doesn't hide in it.
	results := synthetic()
	results[5].BitsPerByte *= 1.1
	if a, err = Analyse(results, 0); err != nil || math.Abs(a.Size.Prediction.Off-0.0909) > 0.002 {
		t.Errorf("%+v, %v", a.Size.Prediction, err)
	}
}

// Losses that fall as if to below the entropy of the text: E is held at it, and both
// predictions are reported.
func TestFloor(t *testing.T) {
	a, err := Analyse(synthetic(), 0.25)
	if err != nil {
		t.Fatal(err)
	}
	p := a.Size.Prediction
	if !a.Size.Smaller.AtFloor || math.Abs(a.Size.Smaller.E-0.25) > 1e-3 || p.FreeOff > 0.001 || p.Off < 0.01 {
		t.Errorf("%+v", a.Size)
	}
	for _, want := range []string{"(with E held at the text's entropy; free: 0.27", "which no loss is below"} {
		if !strings.Contains(a.Text(), want) {
			t.Errorf("%q is missing in\n%s", want, a.Text())
		}
	}
}

// Four models are the fewest: without an error bar for the prediction.
func TestFewest(t *testing.T) {
	a, err := Analyse(synthetic()[:minSizes], 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Write(t.TempDir()); err != nil {
		t.Error(err)
	}
	if p := a.Size.Prediction; p.High != 0 || p.Off > 0.01 || strings.Contains(a.Text(), "Inf") {
		t.Errorf("%+v\n%s", p, a.Text())
	}
}

func TestWrite(t *testing.T) {
	a, err := Analyse(synthetic(), 0.186)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pictures, err := a.Write(dir)
	if err != nil || len(pictures) != 3 {
		t.Fatalf("%v, %v", pictures, err)
	}
	for _, path := range pictures {
		expect.SVG(t, path, "entropy of the text: 0.186")
		expect.PNG(t, strings.TrimSuffix(path, ".svg")+".png", 1280, 720)
	}
	report := expect.File(t, dir, reportFile)
	for _, want := range []string{"| 6 × 128 | 3,300,000 |", "R² = 1.0000", "the text's exact entropy is 0.1860"} {
		if !strings.Contains(string(report), want) {
			t.Errorf("%q is missing in\n%s", want, report)
		}
	}
	var results Analysis
	text := expect.File(t, dir, resultsFile)
	if err := json.Unmarshal(text, &results); err != nil || results.Size.Prediction != a.Size.Prediction || len(results.Results) != 6 {
		t.Errorf("%v: %+v", err, results.Size)
	}
}
