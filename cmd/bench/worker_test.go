package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tinygpt/internal/expect"
	"tinygpt/model"
	"tinygpt/study/perf"
)

var tiny = perf.Workload{Name: "tiny", Model: model.Config{Arch: model.GPT2, Layers: 1, Heads: 2, Width: 32, Context: 8, VocabSize: 40}, Batch: 3}

// answers are the lines of a worker, the first into hello.
func answers(t *testing.T, out *bytes.Buffer) (h hello, list []slice) {
	t.Helper()
	lines := bufio.NewScanner(out)
	lines.Scan()
	if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		var s slice
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return h, list
}

func TestOursProducts(t *testing.T) {
	var in strings.Builder
	list := perf.Products(tiny.Model, tiny.Tokens())
	for _, p := range list {
		in.WriteString(productLine(p, time.Millisecond) + "\n")
	}
	in.WriteString("peak 0.001\n")
	var out bytes.Buffer
	if err := oursProducts(strings.NewReader(in.String()), &out); err != nil {
		t.Fatal(err)
	}
	h, got := answers(t, &out)
	if h.Threads < 1 || h.Version == "" || len(got) != len(list)+1 {
		t.Fatalf("%+v, %d answers", h, len(got))
	}
	for i, p := range list {
		if want := p.NewOperands().Check(); got[i].Check != want || got[i].Calls < 1 || got[i].Seconds < 0.001 {
			t.Errorf("%s: %+v, Σ|c| is %g", p.Name(), got[i], want)
		}
	}
	if got[len(list)].Check <= 0 {
		t.Errorf("peak: %+v", got[len(list)])
	}
	if err := oursProducts(strings.NewReader("nonsense\n"), &out); err == nil {
		t.Error("nonsense is taken for a product")
	}
}

func TestOursSteps(t *testing.T) {
	workload, _ := json.Marshal(tiny)
	var out bytes.Buffer
	if err := oursSteps(string(workload), strings.NewReader(stepLine(20*time.Millisecond)+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	h, got := answers(t, &out)
	if h.Parameters != tiny.Model.ParameterCount() || len(got) != 1 {
		t.Fatalf("%+v, %d answers", h, len(got))
	}
	sum := 0.0
	for _, s := range got[0].Spent {
		sum += s
	}
	if got[0].Calls < 1 || math.Abs(sum/got[0].Seconds-1) > 0.02 || math.Abs(got[0].Check-math.Log(40)) > 1 {
		t.Errorf("%+v; spent %g", got[0], sum)
	}
}

// OpenBLAS computes the products that we do.
func TestOpenBLAS(t *testing.T) {
	libraries := openblasLibraries()
	if len(libraries) == 0 {
		t.Skip("no OpenBLAS here")
	}
	if _, err := exec.LookPath(compiler()); err != nil {
		t.Skip("no C compiler here")
	}
	o, err := newOpenBLAS(t.Context(), t.TempDir(), libraries, 2)
	if err != nil {
		t.Fatal(err)
	}
	w, err := o.start(context.Background(), setting{{What: "library", Value: libraries[0]}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if !strings.HasPrefix(w.Version, "OpenBLAS ") || w.Core == "" || w.Threads != 2 {
		t.Errorf("%+v", w.hello)
	}
	for _, p := range perf.Products(tiny.Model, tiny.Tokens()) {
		got, err := w.measure(productLine(p, time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		if want := p.NewOperands().Check(); math.Abs(got.Check/want-1) > 1e-5 {
			t.Errorf("%s: Σ|c| is %g there, %g here", p.Name(), got.Check, want)
		}
	}
	_, err = w.measure("nonsense")
	expect.Error(t, err, "not understood")
}

// PyTorch's model has our size and starts from our loss.
func TestPyTorch(t *testing.T) {
	if exec.Command("python3", "-c", "import torch").Run() != nil {
		t.Skip("no PyTorch for python3 here")
	}
	p, err := newPyTorch(context.Background(), t.TempDir(), "python3", 1)
	if err != nil {
		t.Fatal(err)
	}
	if p.Version == "" {
		t.Errorf("%+v", p.hello)
	}
	w, err := p.start(context.Background(), tiny, pytorchBase)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	got, err := w.measure(stepLine(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if got.Calls < 1 || len(got.Spent) != 3 || math.Abs(got.Check-math.Log(40)) > 0.2 {
		t.Errorf("%+v, ln 40 is %g", got, math.Log(40))
	}
	if _, err := p.start(context.Background(), tiny, pytorchBase.with(choice{What: "attention", Value: "none such"}).with(choice{What: "optimiser", Value: "none such"})); err == nil || !strings.Contains(lastLine(err), "none such") {
		t.Errorf("an optimiser that there isn't: %v", err)
	}
}

// A worker that can't start says why.
func TestStart(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell here")
	}
	_, err := start(context.Background(), nil, "sh", "-c", "echo broken >&2; exit 3")
	expect.Error(t, err, "broken", "status 3")
}
