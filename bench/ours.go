package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/model/kernel"
	"tinygpt/perf"
)

// hello is a worker's first line.
type hello struct {
	Version    string `json:"version"`
	Core       string `json:"core"` // of OpenBLAS: the processor that its kernels are written for
	Threads    int    `json:"threads"`
	Precision  string `json:"precision"`
	Capability string `json:"capability"`
	MKL        bool   `json:"mkl"`
	Parameters int64  `json:"parameters"`
}

// oursCommand is this program as a worker, measured as the peers are.
func oursCommand() *cli.Command {
	return &cli.Command{
		Name: "ours", Hidden: true,
		Usage: "measure products, or with WORKLOAD as JSON training steps, as told on standard input",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return oursSteps(c.Args().First(), os.Stdin, c.App.Writer)
			}
			return oursProducts(os.Stdin, c.App.Writer)
		},
	}
}

// oursProducts speaks as openblas.c does.
func oursProducts(in io.Reader, out io.Writer) error {
	answer := json.NewEncoder(out)
	answer.Encode(hello{Version: kernel.Level(), Threads: kernel.Threads()})
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var ta, tb, accumulate int
		var p perf.Product
		var seconds float64
		if _, err := fmt.Sscanf(lines.Text(), "product %d %d %d %d %d %d %g", &ta, &tb, &p.M, &p.N, &p.K, &accumulate, &seconds); err != nil {
			return fmt.Errorf("%q: %w", lines.Text(), err)
		}
		p.TransA, p.TransB, p.Accumulate = ta != 0, tb != 0, accumulate != 0
		o := p.NewOperands()
		check := o.Check()
		calls, took := perf.Repeat(o.Run, time.Duration(seconds*float64(time.Second)))
		answer.Encode(slice{Calls: calls, Seconds: took.Seconds(), Check: check})
	}
	return nil
}

// productLine asks a worker for a product.
func productLine(p perf.Product, slice time.Duration) string {
	b := map[bool]int{true: 1}
	return fmt.Sprintf("product %d %d %d %d %d %d %g", b[p.TransA], b[p.TransB], p.M, p.N, p.K, b[p.Accumulate], slice.Seconds())
}

// oursSteps speaks as pytorch.py does, with the parts of a step in place of
// forward and backward.
func oursSteps(workload string, in io.Reader, out io.Writer) error {
	var w perf.Workload
	if err := json.Unmarshal([]byte(workload), &w); err != nil {
		return err
	}
	s, err := perf.NewStepper(w)
	if err != nil {
		return err
	}
	defer s.Close()
	answer := json.NewEncoder(out)
	answer.Encode(hello{Version: kernel.Level(), Threads: kernel.Threads(), Parameters: w.Model.ParameterCount()})
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var seconds float64
		if _, err := fmt.Sscanf(lines.Text(), "step %g", &seconds); err != nil {
			return fmt.Errorf("%q: %w", lines.Text(), err)
		}
		if _, err := s.Run(0); err != nil { // what the stop has cooled down
			return err
		}
		steps, err := s.Run(time.Duration(seconds * float64(time.Second)))
		if err != nil {
			return err
		}
		answer.Encode(ourSlice{slice{Calls: steps.Count, Seconds: steps.Took.Seconds(), Check: steps.Loss}, steps})
	}
	return nil
}

// ourSlice is a slice of training steps with where their time went.
type ourSlice struct {
	slice
	Steps perf.Steps `json:"steps"`
}

// startOurs starts this program as a worker.
func startOurs(h *hello, args ...string) (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(h, nil, self, append([]string{"ours"}, args...)...)
}
