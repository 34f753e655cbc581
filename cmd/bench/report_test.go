package main

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/study/perf"
)

func TestMarkdown(t *testing.T) {
	r := report{
		Machine: perf.Machine{CPU: "Some CPU", Threads: 2, SIMD: "avx2", Go: "go1", Date: "1 May 2026"},
		Products: []productTable{{Workload: perf.GPT2, Peer: "OpenBLAS 1", Kernels: "Zen", Setting: "openmp", Peak: 400,
			Rows: []productRow{{Name: "768→768 dW", Shape: [3]int{768, 768, 256}, Ours: perf.Spread{Median: 300}, Other: perf.Spread{Median: 200}, Ratio: perf.Spread{Min: 1.4, Median: 1.5, Max: 1.6}}},
			Ours: perf.Spread{Median: 300}, Other: perf.Spread{Median: 200}, Ratio: perf.Spread{Min: 1.4, Median: 1.5, Max: 1.6}}},
		Steps: []stepTable{{Workload: perf.Shakespeare, GFLOP: 4, Peak: 400, Rows: []stepRow{
			{Name: "this program", Setting: "avx2", Ms: perf.Spread{Min: 19, Median: 20, Max: 21}, Ratio: perf.Spread{Min: 1, Median: 1, Max: 1},
				Parts: map[string]float64{"Linear forward": 9.5, "batch": 0.001}},
			{Name: "PyTorch 3", Setting: "eager", Ms: perf.Spread{Min: 38, Median: 40, Max: 42}, Ratio: perf.Spread{Min: 1.9, Median: 2, Max: 2.1}},
		}}},
	}
	var out bytes.Buffer
	if err := r.markdown(&out); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"Some CPU, 2 threads, avx2; go1, 1 May 2026; float32.",
		"| matrix products of gpt2-124m (12 × 768, B = 4, T = 64), mean of 1 | 300 GFLOP/s | OpenBLAS 1: 200 GFLOP/s | 1.50 (1.40–1.60) |",
		"| training step, shakespeare (4 × 128, B = 12, T = 64) | 20.0 ms | PyTorch 3: 40.0 ms | 2.00 (1.90–2.10) |",
		"| 768→768 dW | 768×768×256 | 300 | 75 % | 200 | 1.50 (1.40–1.60) |",
		"| this program | 20.0 (19.0–21.0) | 38400 | 200 | 50 % | 1.00 (1.00–1.00) | avx2 |",
		"this program, ms: Linear forward 9.50\n",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("there is no %q in\n%s", line, out.String())
		}
	}
}

func TestGrowth(t *testing.T) {
	list := sweeps()
	for _, s := range list {
		for i, v := range s.Values {
			w := growthBase
			s.of(&w, v)
			if err := w.Model.Validate(); err != nil {
				t.Errorf("%s = %d: %v", s.What, v, err)
			}
			ms := w.FLOP() / 1e8
			if i == len(s.Values)-1 {
				ms *= 1.1
			}
			s.Points = append(s.Points, growthPoint{Value: v, GFLOP: w.FLOP() / 1e9, Ms: perf.SpreadOf([]float64{ms})})
		}
		s.predict()
		for i := range s.Points[1:] { // only the last differs, by the tenth
			want := 1.0
			if i == len(s.Points)-2 {
				want = 1.1
			}
			if got := s.Points[i+1].ratio() / s.Points[0].ratio(); math.Abs(got/want-1) > 1e-9 {
				t.Errorf("%s = %d: %g of the first's", s.What, s.Points[i+1].Value, got)
			}
		}
	}
	for name, start := range map[string]string{"growth.svg": "<?xml", "growth.png": "\x89PNG"} {
		path := filepath.Join(t.TempDir(), name)
		if err := plotGrowth(path, perf.ThisMachine(), list); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(text), start) {
			t.Errorf("%s begins with %.20q (%v)", name, text, err)
		}
		if name == "growth.svg" {
			for _, label := range []string{"sequence length T", "width D", "layers L", "measured", "1024"} {
				if !strings.Contains(string(text), label) {
					t.Errorf("%s: no %q", name, label)
				}
			}
		}
	}
}

func TestEvaluations(t *testing.T) {
	for _, c := range []struct {
		read evaluation
		line string
		step int
		loss float64
		ok   bool
	}{
		{oursEvaluation, "step 250: validation loss 2.1034, 3.0345 bits per byte  (best)", 250, 2.1034, true},
		{oursEvaluation, "step 250/2000  loss 2.1  val 2.1034", 0, 0, false},
		{nanogptEvaluation, `{"step": 500, "loss": 1.97, "train": 1.9, "seconds": 3.5}`, 500, 1.97, true},
		{nanogptEvaluation, `{"other": 1}`, 0, 0, false},
		{nanogptEvaluation, "Traceback", 0, 0, false},
	} {
		step, loss, ok := c.read(c.line)
		if step != c.step || loss != c.loss || ok != c.ok {
			t.Errorf("%q: %d, %g, %v", c.line, step, loss, ok)
		}
	}
}

func TestExecute(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--steps", "large"}, `no workload "large": expected none or some of gpt2-124m`},
		{[]string{"--rounds", "0"}, "--rounds is 0"},
		{[]string{"steps"}, `found "steps", flags are expected`},
		{[]string{"growth", "--plot", "growth.pdf"}, "expected a name that ends in .svg or .png"},
		{[]string{"optimisers", "--plot", "loss.pdf"}, "expected a name that ends in .svg or .png"},
		{[]string{"optimisers", "--seeds", "-1"}, "--seeds is -1"},
		{[]string{"time-to-loss", "--text", "no-such-file"}, "no-such-file"},
		{[]string{"--products", "none", "--steps", "shakespeare", "--llmc", "no-such-folder"}, "is not a checkout of karpathy/llm.c"},
		{[]string{"--products", "none", "--steps", "shakespeare", "--python", "no-such-python"}, "no-such-python"},
	} {
		var stdout, stderr bytes.Buffer
		if code := execute(append([]string{"bench"}, c.args...), &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: exit %d, %q", c.args, code, stderr.String())
		}
	}
}

// Without peers this program is measured alone, by its own process.
func TestVectors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "text.txt")
	fixture.Write(t, file, strings.Repeat("the king rules the land and the queen rules the sea\n", 200))
	var runs []vectorsRun
	for _, model := range []string{"sgns", "cbow", "glove"} {
		r := vectorsRun{Program: "this program", Model: model, Words: 2200}
		out := filepath.Join(dir, "vectors.bin")
		if status := execute([]string{"bench", "ours-vectors", "--threads", "1", file, out, model, "1", "1"}, io.Discard, os.Stderr); status != 0 {
			t.Fatalf("%s: exit %d", model, status)
		}
		if err := r.score(out, "", ""); err != nil {
			t.Fatal(err)
		}
		r.CPUSeconds, r.Seconds = 2, 1
		runs = append(runs, r)
	}
	var table strings.Builder
	printVectors(&table, runs)
	if want := "| this program | glove | 0 | 1,100 | 1.0 | 2,200 |"; !strings.Contains(table.String(), want) {
		t.Errorf("%q is missing in\n%s", want, table.String())
	}
	if words, err := countWords(file); err != nil || words != 2200 {
		t.Errorf("%d words, %v; want 2,200", words, err)
	}
}

// The means of what was measured, as a table and as a picture.
func TestOptimisers(t *testing.T) {
	to := fixture.NewPath(t, "optimisers.jsonl")
	fixture.Write(t, to, `{"optimiser":"muon","steps":600,"seed":1,"bits_per_byte":0.32,"floor":0.1859,"cpu_seconds":41}
{"optimiser":"adamw","steps":600,"seed":1,"bits_per_byte":0.37,"floor":0.1859,"cpu_seconds":33}
{"optimiser":"adamw","steps":600,"seed":2,"bits_per_byte":0.39,"floor":0.1859,"cpu_seconds":35}
{"optimiser":"muon","steps":600,"seed":2,"bits_per_byte":0.33,"floor":0.1859,"cpu_seconds":42}
{"optimiser":"muon","steps":900,"seed":1,"bits_per_byte":0.28,"floor":0.1859,"cpu_seconds":60}
`)
	plot := filepath.Join(t.TempDir(), "optimisers.svg")
	var out, errs strings.Builder
	if status := execute([]string{"bench", "optimisers", "--to", to, "--plot", plot, "--steps", "600", "--seeds", "2"}, &out, &errs); status != 0 {
		t.Fatal(errs.String())
	}
	for _, line := range []string{
		"| adamw | 600 | 0.004, 2 | 2 | 0.3800 (0.3700–0.3900) | 34 s |",
		"| muon | 600 | 0.009, 1.3 | 2 | 0.3250 (0.3200–0.3300) | 42 s |",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no %q in:\n%s", line, out.String())
		}
	}
	expect.SVG(t, plot, "AdamW", "Muon", "floor")
}
