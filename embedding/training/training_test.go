package training

import (
	"context"
	"errors"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tinygpt/embedding/corpus"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model/kernel"
)

// config is small.
func config(model string) Config {
	c := Default()
	c.Data.StoriesBytes, c.Data.ValFraction = 150_000, 0.05
	c.Vectors.Model, c.Vectors.Dim, c.Vectors.Epochs, c.Vectors.Evaluations = model, 16, 2, 4
	c = c.Completed()
	return c
}

func session(t *testing.T, c Config) *Session {
	t.Helper()
	text, _, err := ReadText(c.Data, false)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSession(c, text)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Describe(io.Discard)
	return s
}

// A run writes what it should, and one that is stopped and resumed ends with the same bits.
func TestResume(t *testing.T) {
	for _, model := range Models {
		t.Run(model, func(t *testing.T) {
			whole, dir := session(t, config(model)), t.TempDir()
			if err := whole.Run(context.Background(), dir); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{MetricsFile, LossCurveFile, CheckpointFile} {
				expect.File(t, dir, name)
			}
			all, err := ReadMetrics(filepath.Join(dir, MetricsFile))
			if err != nil || len(all) != 4 || all[3].Epoch != 2 || !(all[3].ValLoss < all[0].ValLoss) {
				t.Errorf("metrics %+v, %v", all, err)
			}

			stopped, dir := session(t, config(model)), t.TempDir()
			ctx, stop := context.WithCancel(context.Background())
			stopped.Progress = func(p Progress) {
				if p.Step >= p.Steps/2 {
					stop()
				}
			}
			if err := stopped.Run(ctx, dir); !errors.Is(err, ErrStopped) {
				t.Fatalf("stopped: %v", err)
			}
			if s := stopped.Step(); s == 0 || s == stopped.Steps() {
				t.Fatalf("stopped after step %d of %d", s, stopped.Steps())
			}
			resumed := session(t, config(model))
			if err := resumed.Resume(dir); err != nil || resumed.Instructions != kernel.InstructionSet() {
				t.Fatalf("resumed from a checkpoint of %q: %v", resumed.Instructions, err)
			}
			if err := resumed.Run(context.Background(), dir); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(resumed.Vectors().Matrix, whole.Vectors().Matrix) {
				t.Error("a resumed run ends with other vectors")
			}
			again, err := ReadMetrics(filepath.Join(dir, MetricsFile))
			if err != nil || len(again) != 4 || again[3].ValLoss != all[3].ValLoss {
				t.Errorf("metrics after resuming: %+v, %v", again, err)
			}
			if err := whole.Vectors().Check(); err != nil {
				t.Error(err)
			}

			other := config(model)
			other.Data.StoriesSeed = 2
			expect.Error(t, session(t, other).Resume(dir), "not the one that the run began with")
		})
	}
}

// A vector with a number that isn't finite ends the run, with the word's name.
func TestDiverged(t *testing.T) {
	c := config(SkipGram)
	c.Vectors.LearningRate = 10
	s := session(t, c)
	s.learner.State()[0].Data.([]float32)[3*16] = float32(inf())
	err := s.Run(context.Background(), t.TempDir())
	expect.Error(t, err, `input vector of "`, "learning_rate")
}

func inf() float64 {
	x := 1e300
	return x * x
}

// The text is the same from a file and from a pipe.
func TestPipe(t *testing.T) {
	text := strings.Repeat("one two three\nfour five\n", 9)
	read := func(name string) *corpus.Text {
		x, _, err := ReadText(Data{Files: []string{name}, Words: "words", MinCount: 1}, true)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	fromFile := read(fixture.File(t, "text.txt", text))
	fixture.Stdin(t, text)
	if piped := read("-"); fingerprint(piped) != fingerprint(fromFile) {
		t.Error("a piped text differs from the file")
	}
}

func TestValidate(t *testing.T) {
	for change, want := range map[string]func(*Config){
		"vectors.model is \"bert\"": func(c *Config) { c.Vectors.Model = "bert" },
		"vectors.dim is 0":          func(c *Config) { c.Vectors.Dim = 0 },
		"data.min_count is 0":       func(c *Config) { c.Data.MinCount = 0 },
		"data.words is \"bytes\"":   func(c *Config) { c.Data.Words = "bytes" },
		"data.val_fraction is 1":    func(c *Config) { c.Data.ValFraction = 1 },
		"vectors.negative is 0":     func(c *Config) { c.Vectors.Negative = 0 },
		"vectors.classic is set":    func(c *Config) { c.Vectors.Classic = true },
		"vectors.sample is -1":      func(c *Config) { c.Vectors.Sample = -1 },
		"vectors.engine is \"tape\": expected kernel or graph": func(c *Config) {
			c.Vectors.Model, c.Vectors.Engine = GloVe, "tape"
			*c = c.Completed()
		},
		"vectors.epochs is 9223372036854775807: expected 1 to 1000000":      func(c *Config) { c.Vectors.Epochs = math.MaxInt },
		"vectors.evaluations is 9223372036854775807: expected 1 to 1000000": func(c *Config) { c.Vectors.Evaluations = math.MaxInt },
		"vectors.evaluations is 0": func(c *Config) {
			c.Vectors.Model, c.Vectors.Evaluations = GloVe, 0
			*c = c.Completed()
		},
		"vectors.learning_rate is 0": func(c *Config) { c.Vectors.LearningRate = 0 },
	} {
		c := config(SkipGram)
		want(&c)
		expect.Error(t, c.Validate(), change)
	}
	for _, model := range Models {
		if err := config(model).Validate(); err != nil {
			t.Errorf("%s: %v", model, err)
		}
	}
}

// Gorgonia's graph trains a toy corpus to the same curve as the kernels.
func TestEngines(t *testing.T) {
	for name, change := range map[string]func(*Config){
		SkipGram:  func(*Config) {},
		CBOW:      func(*Config) {},
		"softmax": func(c *Config) { c.Vectors.Model, c.Vectors.Objective = SkipGram, "softmax" },
		GloVe: func(c *Config) {
			c.Data.StoriesBytes, c.Vectors.Window, c.Vectors.Epochs = 8_000, 2, 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			var curves [2][]Metrics
			for i, engine := range Engines {
				c := config(name)
				c.Data.StoriesBytes, c.Vectors.Dim, c.Vectors.Engine = 20_000, 8, engine
				c.Vectors.LearningRate, c.Vectors.Window = 0.2, 3
				change(&c)
				c = c.Completed()
				s, dir := session(t, c), t.TempDir()
				if err := s.Run(context.Background(), dir); err != nil {
					t.Fatal(err)
				}
				var err error
				if curves[i], err = ReadMetrics(filepath.Join(dir, MetricsFile)); err != nil {
					t.Fatal(err)
				}
			}
			first, last := curves[0][0], curves[0][len(curves[0])-1]
			if last.ValLoss > 0.995*first.ValLoss {
				t.Errorf("the held-out objective goes from %v to %v: nothing to compare", first.ValLoss, last.ValLoss)
			}
			for i, m := range curves[0] {
				if got := curves[1][i].ValLoss; math.Abs(got-m.ValLoss) > 1e-4*m.ValLoss {
					t.Errorf("after step %d: %v by the graph, %v by kernels", m.Step, got, m.ValLoss)
				}
			}
		})
	}
}

// FuzzMetrics: a run's metrics are refused in one line, or drawn.
func FuzzMetrics(f *testing.F) {
	for _, s := range []string{`{"step":1,"epoch":0.5,"loss":2.5,"val_loss":2.4}`, `{"epoch":1e300,"loss":-1e300}`, `{"epoch":-1,"loss":0}`, `null`, `{"loss":1e999}`} {
		f.Add([]byte(s + "\n"))
		f.Add([]byte(s + "\n" + `{"step":2,"epoch":1,"loss":2,"val_loss":1e-300}` + "\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := fixture.File(t, MetricsFile, text)
		all, err := ReadMetrics(path)
		if err == nil && len(all) <= 50 {
			err = drawLoss(filepath.Join(t.TempDir(), LossCurveFile), "skip-gram", all)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %v", err)
		}
	})
}

// A text of which subsampling leaves next to nothing gets a note.
func TestDescribe(t *testing.T) {
	for sample, noted := range map[float64]bool{1e-6: true, 0: false} {
		c := config(Models[0])
		c.Vectors.Sample = sample
		var out strings.Builder
		session(t, c).Describe(&out)
		if strings.Contains(out.String(), "note: that leaves about ") != noted {
			t.Errorf("with sample %v:\n%s", sample, out.String())
		}
	}
}
