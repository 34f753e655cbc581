// Command bench compares this program with its peers, in turn on the same shapes, and
// prints the ratios as Markdown tables: matrix products compared with OpenBLAS, training
// steps with PyTorch and llm.c. It searches for the fastest setting of each peer.
//
//	go run ./cmd/bench --python python3 --llmc ../llm.c
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/interrupt"
	"tinygpt/internal/terminal"
	"tinygpt/study/perf"
)

func main() {
	os.Exit(execute(os.Args, os.Stdout, os.Stderr))
}

// execute runs the command line and returns the exit status.
func execute(args []string, stdout, stderr io.Writer) int {
	app := &cli.App{
		Name:  "bench",
		Usage: "compare with OpenBLAS, PyTorch and llm.c, in turn on the same shapes",
		Description: `Peers that aren't named or found are left out. OpenBLAS and llm.c need a C compiler
(cc, or what CC names). Searching for PyTorch's fastest setting takes minutes for
each workload; --settings FILE remembers what was found.`,
		Writer: stdout, ErrWriter: stderr,
		// A setting may have a comma.
		DisableSliceFlagSeparator: true,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "python", Usage: "`INTERPRETER` with PyTorch (repeatable)"},
			&cli.StringFlag{Name: "llmc", Usage: "checkout of karpathy/llm.c in `FOLDER`"},
			&cli.StringSliceFlag{Name: "openblas", Usage: "OpenBLAS as `LIBRARY` (repeatable); else those in the usual places"},
			&cli.StringSliceFlag{Name: "products", Usage: "multiply the matrices of `WORKLOAD`, or none", Value: cli.NewStringSlice(perf.GPT2.Name, perf.Small.Name)},
			&cli.StringSliceFlag{Name: "steps", Usage: "make training steps of `WORKLOAD`, or none", Value: cli.NewStringSlice(names(workloads)...)},
			&cli.IntFlag{Name: "rounds", Usage: "turns that each gets", Value: 5},
			&cli.DurationFlag{Name: "product-slice", Usage: "length of a turn with a product", Value: 300 * time.Millisecond},
			&cli.DurationFlag{Name: "step-slice", Usage: "length of a turn with training steps", Value: 2 * time.Second},
			&cli.IntFlag{Name: "threads", Usage: "of everybody; 0: as many as cores"},
			&cli.StringFlag{Name: "settings", Usage: "remember the fastest settings in `FILE`"},
			&cli.BoolFlag{Name: "json", Usage: "write JSON instead of tables"},
		},
		Commands:       []*cli.Command{growthCommand(), timeToLossCommand(), optimisersCommand(), vectorsCommand(), oursCommand(), oursVectorsCommand()},
		Suggest:        true,
		ExitErrHandler: func(*cli.Context, error) {},
		Action:         compare,
	}
	ctx, stop := interrupt.Context(context.Background())
	defer stop()
	switch err := app.RunContext(ctx, args); {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "bench: interrupted")
		return 130
	case err != nil:
		fmt.Fprintln(stderr, "bench:", strings.TrimSpace(err.Error()))
		return 1
	}
	return 0
}

// say writes a line about what is being done.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// bench holds what all measurements share.
type bench struct {
	rounds                  int
	productSlice, stepSlice time.Duration
	threads                 int
	memory                  *memory
	progress                func() *terminal.Stages
}

// threadsFlag passes the number of threads to this program's worker.
func (b *bench) threadsFlag() string { return fmt.Sprintf("--threads=%d", b.threads) }

// report holds everything that is printed.
type report struct {
	Machine  perf.Machine   `json:"machine"`
	Products []productTable `json:"products,omitempty"`
	Steps    []stepTable    `json:"steps,omitempty"`
}

// compare runs the command without a subcommand.
func compare(c *cli.Context) error {
	if c.Args().Present() {
		return fmt.Errorf("found %q, flags are expected: see --help", c.Args().First())
	}
	multiplied, err := pick(c.StringSlice("products"))
	if err != nil {
		return err
	}
	stepped, err := pick(c.StringSlice("steps"))
	if err != nil {
		return err
	}
	if c.Int("rounds") < 1 {
		return fmt.Errorf("--rounds is %d: expected 1 or more", c.Int("rounds"))
	}
	r := report{Machine: perf.ThisMachine()}
	b := &bench{
		rounds: c.Int("rounds"), productSlice: c.Duration("product-slice"), stepSlice: c.Duration("step-slice"), threads: c.Int("threads"),
		progress: func() *terminal.Stages { return terminal.NewStages(c.App.ErrWriter) },
	}
	if b.threads == 0 {
		b.threads = r.Machine.Threads
	}
	r.Machine.Threads = b.threads
	if b.memory, err = newMemory(c.String("settings")); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	err = b.measureProducts(c, dir, multiplied, &r)
	if err == nil {
		err = b.measureSteps(c, dir, stepped, &r)
	}
	return keep(c, err, len(r.Products)+len(r.Steps) > 0, r, r.markdown)
}

// keep prints what was measured, as JSON or else by write, if measuring has ended without an
// error or by an interrupt, and returns the error.
func keep(c *cli.Context, err error, measured bool, result any, write func(io.Writer) error) error {
	if !measured || err != nil && c.Context.Err() == nil {
		return err
	}
	if c.Bool("json") {
		out := json.NewEncoder(c.App.Writer)
		out.SetIndent("", "  ")
		return errors.Join(out.Encode(result), err)
	}
	return errors.Join(write(c.App.Writer), err)
}

func (b *bench) measureProducts(c *cli.Context, dir string, list []perf.Workload, r *report) error {
	if len(list) == 0 {
		return nil
	}
	libraries := c.StringSlice("openblas")
	if len(libraries) == 0 {
		libraries = openblasLibraries()
	}
	o, err := newOpenBLAS(c.Context, dir, libraries, b.threads)
	if err != nil {
		return fmt.Errorf("%w (or leave it out with --products none)", err)
	}
	for _, w := range list {
		t, err := b.products(c.Context, o, w)
		if len(t.Rows) > 0 {
			r.Products = append(r.Products, t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) measureSteps(c *cli.Context, dir string, list []perf.Workload, r *report) error {
	if len(list) == 0 {
		return nil
	}
	var pythons []*pytorch
	for _, python := range c.StringSlice("python") {
		p, err := newPyTorch(c.Context, dir, python, b.threads)
		if err != nil {
			return fmt.Errorf("--python %s: %w", python, err)
		}
		pythons = append(pythons, p)
	}
	var l *llmc
	if c.IsSet("llmc") {
		var err error
		if l, err = newLLMC(c.Context, c.String("llmc"), dir, b.threads); err != nil {
			return err
		}
	}
	for _, w := range list {
		t, err := b.steps(c.Context, w, pythons, l)
		if len(t.Rows) > 0 {
			r.Steps = append(r.Steps, t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// workloads lists the workloads that flags can name.
var workloads = []perf.Workload{perf.GPT2, perf.Short, perf.Small, perf.Shakespeare}

func names(list []perf.Workload) (names []string) {
	for _, w := range list {
		names = append(names, w.Name)
	}
	return names
}

// pick returns the workloads of the given names; "none" stands for an empty list.
func pick(wanted []string) (list []perf.Workload, err error) {
	for _, name := range wanted {
		found := name == "none"
		for _, w := range workloads {
			if w.Name == name {
				list, found = append(list, w), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no workload %q: expected none or some of %s", name, strings.Join(names(workloads), ", "))
		}
	}
	return list, nil
}
