package scaling

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"tinygpt/configs"
	"tinygpt/internal/number"
	"tinygpt/model"
)

// Counts of the published models; those of GPT-3 by the paper's own table of compute
// (Brown et al. 2020, table D.1, in millions to four digits).
func TestCounts(t *testing.T) {
	want := map[string]int64{"GPT-1 GPT-1": 116534784, "GPT-2 117M": 124439808, "GPT-2 345M": 354823168, "GPT-2 762M": 774030080, "GPT-2 1542M": 1557611200}
	totals := map[string]float64{}
	for _, p := range Papers {
		for _, r := range p.Rows {
			totals[p.Title+" "+r.Name] = r.Total
		}
		for _, e := range p.Estimates() {
			name := e.Paper + " " + e.Name
			if n := want[name]; n != 0 && e.Parameters != n {
				t.Errorf("%s: %d parameters, want %d", name, e.Parameters, n)
			}
			if e.Parameters != e.Counts.Total() {
				t.Errorf("%s: the kinds add up to %d of %d", name, e.Counts.Total(), e.Parameters)
			}
			// The 13B row's width is a slip of the paper: it counts with 5,120.
			if total := totals[name] * 1e6; total > 0 && e.Name != "13B" && (float64(e.Parameters) < 0.995*total || float64(e.Parameters) > 1.005*total) {
				t.Errorf("%s: %d parameters, table D.1 has %.0f", name, e.Parameters, total)
			}
		}
	}
}

// Operations per token are 6 for each parameter of the products, and those of attention;
// the paper's totals (table D.1) leave the latter out.
func TestOperations(t *testing.T) {
	for name, want := range map[string]float64{"Small": 2.25e20, "6.7B": 1.20e22, "175B": 3.14e23} {
		for _, e := range Papers[2].Estimates() {
			if e.Name != name {
				continue
			}
			attention := 6 * float64(e.Layers) * float64(e.Width) * float64(e.Context+1) * e.Tokens
			if got := e.FLOP - attention; got < 0.97*want || got > 1.03*want {
				t.Errorf("%s: %.3g operations, the paper has %.3g", name, got, want)
			}
		}
	}
}

// What is wrong in the papers is said, and nothing else.
func TestNotes(t *testing.T) {
	var notes []string
	for _, p := range Papers {
		notes = append(notes, p.Notes()...)
	}
	all := strings.Join(notes, "\n")
	for _, text := range []string{
		"117M has 124,439,808 parameters by its shape, +6.4 %", "24 heads × 128 are 3,072, not 2,048", "40 heads × 128 are 5,120, not 5,140",
		"with a width of 5,120 12853.39M; the paper's table D.1 has 12,850M",
	} {
		if !strings.Contains(all, text) {
			t.Errorf("%q is missing in\n%s", text, all)
		}
	}
	for _, text := range []string{"GPT-1 has", "Small has", "Small:", "2.7B has", "6.7B:"} {
		if strings.Contains(all, text) {
			t.Errorf("%q in\n%s", text, all)
		}
	}
}

// gpt2 is a report of a fixed speed.
func gpt2(t *testing.T) Report {
	t.Helper()
	papers, err := Find("gpt2")
	if err != nil {
		t.Fatal(err)
	}
	a, err := ParseAccelerator("A100", 0.5)
	if err != nil {
		t.Fatal(err)
	}
	r := Report{Speed: Speed{FLOPS: 2e11}, Accelerator: a, Machine: Machine{8 << 30, 4 << 30}}
	r.Add(NewSection(papers[0]))
	return r
}

func TestFormats(t *testing.T) {
	var out bytes.Buffer
	write := func(f Format) string {
		out.Reset()
		if err := gpt2(t).Write(&out, f); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	rows, err := csv.NewReader(strings.NewReader(write(CSV))).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	cell := map[string]string{}
	for i, name := range rows[0] {
		cell[name] = rows[4][i]
	}
	flop, _ := strconv.ParseFloat(cell["training_flop"], 64)
	here, _ := strconv.ParseFloat(cell["seconds_here"], 64)
	there, _ := strconv.ParseFloat(cell["seconds_accelerator"], 64)
	if cell["parameters"] != "1557611200" || here != flop/2e11 || there != flop/156e12 {
		t.Errorf("%v", cell)
	}

	var report struct {
		Sections []struct {
			Rows []struct {
				Parameters int64              `json:"parameters"`
				Memory     map[string]float64 `json:"memory_bytes"`
			}
			Notes []string
		}
	}
	object, err := json.Marshal(gpt2(t))
	if err == nil {
		err = json.Unmarshal(object, &report)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r := report.Sections[0].Rows[0]; r.Parameters != 124439808 || r.Memory["optimiser"] != 8*124439808 || len(report.Sections[0].Notes) < 4 {
		t.Errorf("%+v", report)
	}

	text, markdown := write(Text), write(Markdown)
	for _, want := range []string{"1,557,611,200", "too large", "fits", "A100, 312 TFLOP/s peak at 50 %"} {
		if !strings.Contains(text, want) || !strings.Contains(markdown, want) {
			t.Errorf("%q is missing in\n%s\n%s", want, text, markdown)
		}
	}
	if !regexp.MustCompile(`(?m)^\| 117M \| 117M \| 12 \|`).MatchString(markdown) || regexp.MustCompile(`(?m) $`).MatchString(text) {
		t.Errorf("%s\n%s", markdown, text)
	}
}

// Whatever the memory, what is advised fits into it.
func TestAdvise(t *testing.T) {
	c, err := configs.Preset("gpt2-124m.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Model.VocabSize, c.Train.BatchSize, c.Train.GradientAccumulationSteps = 50257, 12, 5
	set := regexp.MustCompile(`--set (\S+)`)
	for _, x := range []struct {
		gib  float64
		want []string
	}{
		{64, []string{"It fits"}},
		{9, []string{"It doesn't fit", "train.batch_size=6", "gradient_accumulation_steps=10"}},
		{3.2, []string{"train.batch_size=1", "gradient_accumulation_steps=60"}},
		{2.8, []string{"model.context=512", "train.batch_size=1", "gradient_accumulation_steps=120", "A smaller model"}},
		{1, []string{"model.layers=1", "model.width="}},
		{0.001, []string{"whatever the batch"}},
	} {
		available := uint64(x.gib * (1 << 30))
		advice := Advise(c, Machine{available, available})
		for _, want := range x.want {
			if !strings.Contains(strings.Join(advice, "\n"), want) {
				t.Errorf("%v GiB: %q is missing in %q", x.gib, want, advice)
			}
		}
		for _, line := range advice {
			changed := c
			for _, m := range set.FindAllStringSubmatch(line, -1) {
				if err := changed.Set(m[1]); err != nil {
					t.Error(err)
				}
			}
			if err := changed.Validate(); err != nil {
				t.Error(err)
			}
			if need := changed.Train.Memory(changed.Model).Total(); strings.Contains(line, "--set") && need > int64(available) {
				t.Errorf("%v GiB: %q takes %s", x.gib, line, number.Bytes(need))
			}
		}
	}
}

func TestAccelerator(t *testing.T) {
	for _, text := range []string{"", "tpu", "-3", "0", "NaN"} {
		if a, err := ParseAccelerator(text, 0.4); err == nil {
			t.Errorf("%q: %+v", text, a)
		}
	}
	if a, err := ParseAccelerator("71.5", 1); err != nil || a.FLOPS != 71.5e12 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := ParseAccelerator("a100", 1.2); err == nil {
		t.Error("a utilisation of 120 %")
	}
}

func TestPlan(t *testing.T) {
	c := configs.Default()
	c.Model = model.Config{Arch: model.GPT2, Layers: 2, Heads: 2, Width: 32, Context: 16, VocabSize: 100}
	c.Train.Steps, c.Train.BatchSize, c.Train.GradientAccumulationSteps = 10, 4, 3
	speed := Speed{FLOPS: 1e9, PerParameter: 1e-6}
	e := PlanSection("x", "x", c, speed, Accelerator{"x", 1e12, 1}, Machine{1 << 30, 1 << 30}).Rows[0]
	if e.Tokens != 10*4*3*16 || e.SecondsAccelerator != e.FLOP/1e12 {
		t.Errorf("%+v", e)
	}
	// 12 batches' work, but one update of each parameter a step.
	if want := e.FLOP/1e9 + 10*1e-6*float64(e.Parameters); e.SecondsHere < 0.999*want || e.SecondsHere > 1.001*want {
		t.Errorf("%v seconds, want %v", e.SecondsHere, want)
	}
}
