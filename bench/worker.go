package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// worker is a process that measures when it is told to: a line goes in, a line
// of JSON comes back. Between its turns it is stopped as a whole, so that
// threads of its own that spin while they wait take nothing from the others.
type worker struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	errs    strings.Builder
}

// slice is what a worker measured.
type slice struct {
	Calls   int     `json:"calls"`
	Seconds float64 `json:"seconds"`
	// Check is a number that depends on what was computed.
	Check float64 `json:"check"`
	// Parts of Seconds, of a training step.
	Forward  float64 `json:"forward"`
	Backward float64 `json:"backward"`
	Update   float64 `json:"update"`
}

// perCall is the time of a call in seconds.
func (s slice) perCall() float64 { return s.Seconds / float64(s.Calls) }

// start runs a program with variables added to the environment (those of peers
// cleaned, see environment) and reads its first line into hello.
func start(hello any, variables []string, program string, args ...string) (*worker, error) {
	w := &worker{command: exec.Command(program, args...)}
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
	if err := w.read(hello); err != nil {
		w.close()
		return nil, err
	}
	return w, freeze(w.command.Process)
}

// measure gives the worker its turn.
func (w *worker) measure(line string, answer any) error {
	if err := thaw(w.command.Process); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w.in, line); err != nil {
		return w.failed(err)
	}
	if err := w.read(answer); err != nil {
		return err
	}
	return freeze(w.command.Process)
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

// failed says what the worker wrote last.
func (w *worker) failed(err error) error {
	w.command.Wait()
	lines := strings.Split(strings.TrimSpace(w.errs.String()), "\n")
	if last := lines[len(lines)-1]; last != "" {
		err = errors.New(last)
	}
	return fmt.Errorf("%s: %w", strings.Join(w.command.Args, " "), err)
}

// close ends the process.
func (w *worker) close() {
	w.in.Close()
	w.command.Process.Kill()
	w.command.Wait()
}

// environment is ours without what would tune, or hobble, a peer unseen: each
// is measured as it comes, and with the settings that the search names.
func environment() []string {
	var kept []string
	for _, v := range os.Environ() {
		hidden := false
		for _, prefix := range []string{"OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "ATEN_", "TORCH", "NVPL_", "MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD"} {
			hidden = hidden || strings.HasPrefix(v, prefix)
		}
		if !hidden {
			kept = append(kept, v)
		}
	}
	return kept
}
