package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"tinygpt/perf"
)

//go:embed peers/pytorch.py
var pytorchPy []byte

// pytorch is one Python interpreter with PyTorch, and how it is run.
type pytorch struct {
	python, script string
	threads        int
}

// pytorchOptions are pytorch.py's argument beside the model.
type pytorchOptions struct {
	Attention string   `json:"attention"` // plain or sdpa
	Optimiser string   `json:"optimiser"` // loop, foreach or fused
	Compile   string   `json:"compile"`   // "", default, or a mode of torch.compile
	Variables []string `json:"-"`
	Labels    []string `json:"-"` // what differs from PyTorch as it comes
}

func (o pytorchOptions) String() string {
	words := []string{o.Attention + " attention", o.Optimiser + " AdamW"}
	if o.Compile == "" {
		words = append(words, "eager")
	} else {
		words = append(words, "torch.compile "+o.Compile)
	}
	return strings.Join(append(words, o.Labels...), ", ")
}

// start runs the script for a workload.
func (p pytorch) start(w perf.Workload, o pytorchOptions) (*worker, hello, error) {
	argument := map[string]any{
		"layers": w.Model.Layers, "heads": w.Model.Heads, "width": w.Model.Width, "context": w.Model.Context,
		"vocab": w.Model.VocabSize, "batch": w.Batch, "bias": true, "threads": p.threads,
		"learning_rate": 1e-3, "beta2": 0.95, "weight_decay": 0.1,
		"attention": o.Attention, "optimiser": o.Optimiser, "compile": o.Compile,
	}
	text, err := json.Marshal(argument)
	if err != nil {
		return nil, hello{}, err
	}
	var h hello
	variables := append([]string{fmt.Sprintf("OMP_NUM_THREADS=%d", p.threads)}, o.Variables...)
	worker, err := start(&h, variables, p.python, p.script, string(text))
	return worker, h, err
}

// alternative is one value of something that can be set.
type alternative struct {
	label     string // "" if it is how PyTorch comes
	variables []string
	set       func(*pytorchOptions)
}

// pytorchAlternatives lists what the search tries, one thing after the other.
func pytorchAlternatives(h hello, libraries []string) [][]alternative {
	var blas, capability []alternative
	for _, level := range []string{"avx2", "avx512"} {
		if !strings.EqualFold(level, h.Capability) {
			capability = append(capability, alternative{label: "ATEN_CPU_CAPABILITY=" + level, variables: []string{"ATEN_CPU_CAPABILITY=" + level}})
		}
	}
	if !h.MKL { // a PyTorch that is linked to the system's BLAS
		for _, lib := range libraries {
			dir := filepath.Dir(lib)
			blas = append(blas, alternative{label: filepath.Base(dir), variables: []string{"LD_LIBRARY_PATH=" + dir}})
		}
	}
	memory := []alternative{
		{label: "malloc without mmap", variables: []string{"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=100000000000"}},
		{label: "malloc without mmap, huge pages", variables: []string{"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=100000000000", "GLIBC_TUNABLES=glibc.malloc.hugetlb=1"}},
		{label: "THP_MEM_ALLOC_ENABLE=1", variables: []string{"THP_MEM_ALLOC_ENABLE=1"}},
		{label: "malloc without mmap, THP_MEM_ALLOC_ENABLE=1", variables: []string{"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=100000000000", "THP_MEM_ALLOC_ENABLE=1"}},
	}
	for _, pattern := range []string{"/usr/lib/*/libjemalloc.so.2", "/usr/lib/*/libtcmalloc_minimal.so.4"} {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			memory = append(memory, alternative{label: filepath.Base(f), variables: []string{"LD_PRELOAD=" + f}})
		}
	}
	list := [][]alternative{
		blas,
		{
			{label: "OMP_WAIT_POLICY=active", variables: []string{"OMP_WAIT_POLICY=active"}},
			{label: "OMP_WAIT_POLICY=passive", variables: []string{"OMP_WAIT_POLICY=passive"}},
			{label: "OMP_PROC_BIND=true", variables: []string{"OMP_PROC_BIND=true"}},
			{label: "OMP_WAIT_POLICY=active, OMP_PROC_BIND=true", variables: []string{"OMP_WAIT_POLICY=active", "OMP_PROC_BIND=true"}},
		},
		{{set: func(o *pytorchOptions) { o.Attention = "sdpa" }}},
		{{set: func(o *pytorchOptions) { o.Optimiser = "foreach" }}, {set: func(o *pytorchOptions) { o.Optimiser = "fused" }}},
		memory,
		capability,
		{{set: func(o *pytorchOptions) { o.Compile = "default" }}, {set: func(o *pytorchOptions) { o.Compile = "max-autotune-no-cudagraphs" }}},
	}
	if runtime.GOOS != "linux" {
		list[0], list[4] = nil, nil
	}
	return list
}

// try measures one setting.
func (p pytorch) try(w perf.Workload, o pytorchOptions, length time.Duration) (seconds float64, h hello, err error) {
	worker, h, err := p.start(w, o)
	if err != nil {
		return 0, h, err
	}
	defer worker.close()
	var times []float64
	for range 3 {
		var got slice
		if err := worker.measure(stepLine(length/3), &got); err != nil {
			return 0, h, err
		}
		times = append(times, got.perCall())
	}
	return slices.Min(times), h, nil
}

// fastest looks for the best setting: it changes one thing after the other and
// keeps what makes a step shorter by more than chance may.
func (p pytorch) fastest(w perf.Workload, libraries []string, length time.Duration, say func(string, ...any)) (pytorchOptions, error) {
	best := pytorchOptions{Attention: "plain", Optimiser: "loop"}
	seconds, h, err := p.try(w, best, length)
	if err != nil {
		return best, err
	}
	say("  PyTorch %s, %s: %.2f ms", h.Version, best, 1e3*seconds)
	for _, group := range pytorchAlternatives(h, libraries) {
		from := best
		for _, a := range group {
			o := from
			o.Variables = slices.Concat(from.Variables, a.variables)
			if a.label != "" {
				o.Labels = append(slices.Clone(from.Labels), a.label)
			}
			if a.set != nil {
				a.set(&o)
			}
			took, _, err := p.try(w, o, length)
			if err != nil {
				say("  %s: not to be had (%v)", o, lastLine(err))
				continue
			}
			say("  %s: %.2f ms", o, 1e3*took)
			if took < 0.99*seconds {
				best, seconds = o, took
			}
		}
	}
	return best, nil
}

// writeScript puts pytorch.py where an interpreter can read it.
func writeScript(dir string) (string, error) {
	path := filepath.Join(dir, "pytorch.py")
	return path, os.WriteFile(path, pytorchPy, 0o600)
}

// stepLine asks a worker for training steps.
func stepLine(length time.Duration) string { return fmt.Sprintf("step %g", length.Seconds()) }

// lastLine is what an error says in the end, cut to a line.
func lastLine(err error) string {
	s := err.Error()
	s = s[strings.LastIndexByte(s, '\n')+1:]
	if at := strings.LastIndex(s, "}: "); at >= 0 {
		s = s[at+3:]
	}
	return s[:min(len(s), 120)]
}
