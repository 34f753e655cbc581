package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"tinygpt/study/perf"
)

//go:embed peers/pytorch.py
var pytorchPy []byte

// pytorch is a Python interpreter with PyTorch.
type pytorch struct {
	hello
	python, script string
	threads        int
}

// newPyTorch writes the script to dir and asks the interpreter what it has.
func newPyTorch(ctx context.Context, dir, python string, threads int) (*pytorch, error) {
	p := &pytorch{python: python, script: filepath.Join(dir, "pytorch.py"), threads: threads}
	if err := os.WriteFile(p.script, pytorchPy, 0o600); err != nil {
		return nil, err
	}
	tiny := perf.Shakespeare
	tiny.Model.Layers = 1
	w, err := p.start(ctx, tiny, pytorchBase)
	if err != nil {
		return nil, err
	}
	p.hello = w.hello
	w.close()
	return p, nil
}

// pytorchBase is the setting that every PyTorch can run.
var pytorchBase = setting{
	{What: "attention", Label: "plain attention", Value: "plain"},
	{What: "optimiser", Label: "AdamW in a loop", Value: "loop"},
	{What: "compile", Label: "eager", Value: ""},
}

// start runs the script for a workload.
func (p *pytorch) start(ctx context.Context, w perf.Workload, s setting) (*worker, error) {
	argument, err := json.Marshal(map[string]any{
		"layers": w.Model.Layers, "heads": w.Model.Heads, "width": w.Model.Width, "context": w.Model.Context,
		"vocab": w.Model.VocabSize, "batch": w.Batch, "bias": true, "threads": p.threads,
		"learning_rate": 1e-3, "beta2": 0.95, "weight_decay": 0.1,
		"attention": s.value("attention"), "optimiser": s.value("optimiser"), "compile": s.value("compile"),
	})
	if err != nil {
		return nil, err
	}
	worker, err := start(ctx, append(s.variables(), p.variables()...), p.python, p.script, string(argument))
	if err != nil {
		return nil, err
	}
	if worker.Parameters != w.Model.ParameterCount() {
		worker.close()
		return nil, fmt.Errorf("%s made a model of %d parameters, ours has %d", p.python, worker.Parameters, w.Model.ParameterCount())
	}
	if worker.Precision != "" && worker.Precision != "highest" {
		worker.close()
		return nil, fmt.Errorf("%s multiplies float32 matrices with precision %q, not the highest", p.python, worker.Precision)
	}
	return worker, nil
}

// variables returns the environment variables of every run.
func (p *pytorch) variables() []string {
	return []string{fmt.Sprintf("OMP_NUM_THREADS=%d", p.threads), fmt.Sprintf("MKL_NUM_THREADS=%d", p.threads)}
}

// fastest searches for the setting with the shortest step.
func (p *pytorch) fastest(ctx context.Context, m *memory, w perf.Workload, length time.Duration) (setting, []trial, error) {
	name := fmt.Sprintf("PyTorch %s of %s, %s", p.Version, p.python, w.Name)
	return m.search(ctx, name, pytorchBase, p.choices(), func(s setting) (racer, error) {
		worker, err := p.start(ctx, w, s)
		if err != nil {
			return racer{}, err
		}
		return racer{func() (float64, error) {
			got, err := worker.measure(stepLine(length / heats))
			return got.perCall(), err
		}, worker.close}, nil
	})
}

// choices lists the choices that the search tries.
func (p *pytorch) choices() [][]choice {
	var blas []choice
	if !p.MKL { // it is linked to the system's BLAS
		for _, lib := range openblasLibraries() {
			dir := filepath.Dir(lib)
			blas = append(blas, choice{What: "BLAS", Label: filepath.Base(dir), Variables: []string{"LD_LIBRARY_PATH=" + dir}})
		}
	}
	// PyTorch frees and allocates its activations in every step. The C library
	// returns large ones to the system, which has to clear them when they come back.
	keep := []string{"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=100000000000"}
	allocator := []choice{
		{What: "memory", Label: "malloc keeps memory", Variables: keep},
		{What: "memory", Label: "malloc keeps memory, huge pages", Variables: append([]string{"GLIBC_TUNABLES=glibc.malloc.hugetlb=1"}, keep...)},
		{What: "memory", Label: "THP_MEM_ALLOC_ENABLE=1", Variables: []string{"THP_MEM_ALLOC_ENABLE=1"}},
	}
	for _, pattern := range []string{"/usr/lib/*/libjemalloc.so.2", "/usr/lib/*/libtcmalloc_minimal.so.4"} {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			allocator = append(allocator, choice{What: "memory", Label: filepath.Base(f), Variables: []string{"LD_PRELOAD=" + f}})
		}
	}
	if runtime.GOOS != "linux" {
		blas, allocator = nil, nil
	}
	var vectors []choice
	for _, level := range []string{"avx2", "avx512"} {
		if !strings.EqualFold(level, p.Capability) && runtime.GOARCH == "amd64" {
			vectors = append(vectors, choice{What: "vectors", Label: "ATEN_CPU_CAPABILITY=" + level, Variables: []string{"ATEN_CPU_CAPABILITY=" + level}})
		}
	}
	return [][]choice{
		blas, openMP,
		{{What: "attention", Label: "F.scaled_dot_product_attention", Value: "sdpa"}},
		{{What: "optimiser", Label: "foreach AdamW", Value: "foreach"}, {What: "optimiser", Label: "fused AdamW", Value: "fused"}},
		allocator, vectors,
		{{What: "compile", Label: "torch.compile", Value: "default"}, {What: "compile", Label: "torch.compile max-autotune", Value: "max-autotune-no-cudagraphs"}},
	}
}
