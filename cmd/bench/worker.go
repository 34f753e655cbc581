package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"tinygpt/study/perf"
)

// worker is a process that measures on request: it reads a line and answers with a line of
// JSON. Between its turns the whole process is stopped, so that threads that spin while
// they wait take no time from the others.
type worker struct {
	hello
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	errs    strings.Builder
}

// hello is a worker's first line.
type hello struct {
	Version    string `json:"version"`
	Core       string `json:"core"` // OpenBLAS: the processor that its kernels are written for
	Threads    int    `json:"threads"`
	Parameters int64  `json:"parameters"` // number of the model's parameters
	Precision  string `json:"precision"`  // PyTorch: of float32 products
	Capability string `json:"capability"` // PyTorch: instruction set of its other kernels, AVX2 or AVX512
	MKL        bool   `json:"mkl"`
	BLAS       string `json:"blas"` // PyTorch: its BLAS library
}

// slice is the answer of a worker: what it measured.
type slice struct {
	Calls   int     `json:"calls"`
	Seconds float64 `json:"seconds"`
	// Check depends on what was computed: Σ|c| of a product, the last loss of steps,
	// GFLOP/s of the peak.
	Check float64 `json:"check"`
	// Spent says where Seconds went. Where looking costs time, the shares are those of
	// other calls, made for it.
	Spent map[string]float64 `json:"spent,omitempty"`
}

// perCall returns the time of a call in seconds.
func (s slice) perCall() float64 { return s.Seconds / float64(s.Calls) }

// start runs a program with variables added to the environment (see
// environment) and waits for its first line. The process ends with ctx.
func start(ctx context.Context, variables []string, program string, args ...string) (*worker, error) {
	w := &worker{command: command(ctx, program, args...)}
	w.command.Env = append(environment(), variables...)
	w.command.Stderr = &w.errs
	var err error
	if w.in, err = w.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.out = bufio.NewReader(out)
	if err := w.command.Start(); err != nil {
		return nil, err
	}
	if err := w.read(&w.hello); err != nil {
		w.close()
		return nil, err
	}
	return w, freeze(w.command.Process)
}

// measure gives the worker a turn: it sends the line and returns the answer.
func (w *worker) measure(line string) (got slice, err error) {
	if err := thaw(w.command.Process); err != nil {
		return got, err
	}
	if _, err := fmt.Fprintln(w.in, line); err != nil {
		return got, w.failed(err)
	}
	if err := w.read(&got); err != nil {
		return got, err
	}
	return got, freeze(w.command.Process)
}

func (w *worker) read(answer any) error {
	line, err := w.out.ReadBytes('\n')
	if err != nil {
		return w.failed(err)
	}
	if err := json.Unmarshal(line, answer); err != nil {
		return fmt.Errorf("%s answered %q: %w", w.command.Path, line, err)
	}
	return nil
}

// failed returns the error of a worker that ended, with the last line that it wrote.
func (w *worker) failed(err error) error {
	if exit := w.command.Wait(); exit != nil {
		err = exit
	}
	return fmt.Errorf("%s: %w\n%s", w.command.Path, err, strings.TrimSpace(w.errs.String()))
}

// close ends the process.
func (w *worker) close() {
	w.in.Close()
	kill(w.command.Process)
	w.command.Wait()
}

// startOurs starts this program as a worker.
func startOurs(ctx context.Context, args ...string) (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, nil, self, append([]string{"ours"}, args...)...)
}

// peak returns the GFLOP/s that this program's worker reaches with multiply-adds on
// registers, the best so far: a shared machine is at times half as fast.
func (w *worker) peak(before float64) (float64, error) {
	got, err := w.measure("peak 0.1")
	return max(before, got.Check), err
}

// productLine returns the line that asks a worker for a product.
func productLine(p perf.Product, length time.Duration) string {
	b := map[bool]int{true: 1}
	return fmt.Sprintf("product %d %d %d %d %d %g", b[p.TransA], b[p.TransB], p.M, p.N, p.K, length.Seconds())
}

// stepLine returns the line that asks a worker for training steps.
func stepLine(length time.Duration) string { return fmt.Sprintf("step %g", length.Seconds()) }

// environment returns our environment without variables that would change a peer's speed
// unnoticed: each is measured with its defaults and with the settings of a search.
func environment() []string {
	var kept []string
	for _, v := range os.Environ() {
		hidden := false
		for _, prefix := range []string{
			"OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "ATEN_", "TORCH", "NVPL_",
			"MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD", "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG",
		} {
			hidden = hidden || strings.HasPrefix(v, prefix)
		}
		if !hidden {
			kept = append(kept, v)
		}
	}
	return kept
}
