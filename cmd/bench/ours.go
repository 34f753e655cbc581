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
	"tinygpt/study/perf"
)

// oursCommand runs this program as a worker, so that it is measured in the same way as the
// peers.
func oursCommand() *cli.Command {
	return &cli.Command{
		Name: "ours", Hidden: true,
		Usage: "measure products, or with WORKLOAD as JSON training steps, as told on standard input",
		Flags: []cli.Flag{&cli.IntFlag{Name: "threads"}},
		Action: func(c *cli.Context) error {
			kernel.SetThreads(c.Int("threads"))
			if c.Args().Present() {
				return oursSteps(c.Args().First(), os.Stdin, c.App.Writer)
			}
			return oursProducts(os.Stdin, c.App.Writer)
		},
	}
}

// oursProducts measures products on request, with the same lines in and out as
// peers/openblas.c.
func oursProducts(in io.Reader, out io.Writer) error {
	answer := json.NewEncoder(out)
	answer.Encode(hello{Version: kernel.InstructionSet(), Threads: kernel.Threads()})
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if answerPeak(lines.Text(), answer) {
			continue
		}
		var ta, tb int
		var p perf.Product
		var seconds float64
		if _, err := fmt.Sscanf(lines.Text(), "product %d %d %d %d %d %g", &ta, &tb, &p.M, &p.N, &p.K, &seconds); err != nil {
			return fmt.Errorf("%q: %w", lines.Text(), err)
		}
		p.TransA, p.TransB = ta != 0, tb != 0
		o := p.NewOperands()
		check := o.Check()
		calls, took := perf.Repeat(o.Run, time.Duration(seconds*float64(time.Second)))
		answer.Encode(slice{Calls: calls, Seconds: took.Seconds(), Check: check})
	}
	return nil
}

// oursSteps measures training steps on request, with the same lines in and out as
// peers/pytorch.py.
func oursSteps(workload string, in io.Reader, out io.Writer) error {
	var w perf.Workload
	if err := json.Unmarshal([]byte(workload), &w); err != nil {
		return err
	}
	s, err := perf.NewStepper(w)
	if err != nil {
		return err
	}
	answer := json.NewEncoder(out)
	answer.Encode(hello{Version: kernel.InstructionSet(), Threads: kernel.Threads(), Parameters: w.Model.ParameterCount()})
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if answerPeak(lines.Text(), answer) {
			continue
		}
		var seconds float64
		if _, err := fmt.Sscanf(lines.Text(), "step %g", &seconds); err != nil {
			return fmt.Errorf("%q: %w", lines.Text(), err)
		}
		if _, err := s.Run(0); err != nil { // warm-up: the process was stopped
			return err
		}
		steps, err := s.Run(time.Duration(seconds * float64(time.Second)))
		if err != nil {
			return err
		}
		accounted, err := s.Account(steps.Took / 4)
		if err != nil {
			return err
		}
		got := slice{Calls: steps.Count, Seconds: steps.Took.Seconds(), Check: steps.Loss, Spent: map[string]float64{}}
		for name, took := range accounted.Spent {
			got.Spent[name] = got.Seconds * took.Seconds() / accounted.Took.Seconds()
		}
		answer.Encode(got)
	}
	return nil
}

// answerPeak answers a line that asks for the peak of multiply-adds, and says whether it was
// one.
func answerPeak(line string, answer *json.Encoder) bool {
	var seconds float64
	if _, err := fmt.Sscanf(line, "peak %g", &seconds); err != nil {
		return false
	}
	answer.Encode(slice{Calls: 1, Seconds: seconds, Check: perf.Peak(time.Duration(seconds*float64(time.Second))) / 1e9})
	return true
}
