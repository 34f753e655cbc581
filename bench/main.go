// Command bench runs this program beside its peers, in turn on the same shapes,
// and prints the ratios: matrix products beside OpenBLAS, training steps beside
// PyTorch and llm.c. Each peer runs in its own fastest setting, which is
// searched for.
//
//	go run ./bench products
//	go run ./bench steps --python python3 --llmc ../llm.c
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/model/kernel"
	"tinygpt/perf"
)

func main() {
	app := &cli.App{
		Name:  "bench",
		Usage: "measure beside OpenBLAS, PyTorch and llm.c, in turn on the same shapes",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "write JSON"},
		},
		Commands: []*cli.Command{productsCommand(), stepsCommand(), oursCommand()},
		Suggest:  true,
	}
	if err := app.RunContext(context.Background(), os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// say writes what goes on to standard error.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func productsCommand() *cli.Command {
	return &cli.Command{
		Name:  "products",
		Usage: "matrix products beside OpenBLAS",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "openblas", Usage: "a `LIBRARY` to measure (repeatable); else those in the usual places"},
			&cli.StringSliceFlag{Name: "workload", Usage: "products of `NAME`", Value: cli.NewStringSlice("gpt2-124m", "small-256")},
			&cli.IntFlag{Name: "rounds", Value: 7},
			&cli.DurationFlag{Name: "slice", Usage: "a turn's length", Value: 300 * time.Millisecond},
		},
		Action: func(c *cli.Context) error {
			dir, err := os.MkdirTemp("", "bench")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			program, err := compileOpenBLAS(dir)
			if err != nil {
				return err
			}
			libraries := c.StringSlice("openblas")
			if len(libraries) == 0 {
				libraries = openblasLibraries()
			}
			for _, name := range c.StringSlice("workload") {
				w, err := workload(name)
				if err != nil {
					return err
				}
				list := perf.Products(w.Model, w.Tokens())
				peer, h, s, err := fastestOpenBLAS(program, libraries, runtime.NumCPU(), []perf.Product{list[6], list[7], list[11]}, say)
				if err != nil {
					return err
				}
				defer peer.close()
				var o hello
				ours, err := startOurs(&o)
				if err != nil {
					return err
				}
				defer ours.close()
				rows, err := products(list, ours, peer, c.Int("rounds"), c.Duration("slice"), func(int, int) {})
				if err != nil {
					return err
				}
				fmt.Printf("%s, %d tokens; %s, %s; ours %s, %d threads\n", w.Name, w.Tokens(), h.Version, s.Name, o.Version, o.Threads)
				fmt.Println("product               ours GFLOP/s   OpenBLAS GFLOP/s   ratio: median (min-max)")
				var medians []float64
				for _, r := range rows {
					fmt.Printf("%-22s %8.1f %14.1f %14.3f (%.3f-%.3f)\n", r.Name, r.Ours.Median, r.Peer.Median, r.Ratio.Median, r.Ratio.Min, r.Ratio.Max)
					medians = append(medians, r.Ratio.Median)
				}
				fmt.Printf("geometric mean of the ratios: %.3f, least %.3f\n\n", geometricMean(medians), slices.Min(medians))
				if c.Bool("json") {
					json.NewEncoder(os.Stdout).Encode(rows)
				}
			}
			return nil
		},
	}
}

func workload(name string) (perf.Workload, error) {
	var names []string
	for _, w := range perf.Workloads {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	return perf.Workload{}, fmt.Errorf("no workload %q: expected one of %q", name, names)
}

func stepsCommand() *cli.Command {
	return &cli.Command{
		Name:  "steps",
		Usage: "training steps beside PyTorch and llm.c",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "python", Usage: "`INTERPRETER` with PyTorch (repeatable)"},
			&cli.StringFlag{Name: "llmc", Usage: "checkout of karpathy/llm.c in `DIR`"},
			&cli.StringSliceFlag{Name: "workload", Usage: "steps of `NAME`", Value: cli.NewStringSlice("gpt2-124m", "small", "small-256", "shakespeare")},
			&cli.IntFlag{Name: "rounds", Value: 5},
			&cli.DurationFlag{Name: "slice", Usage: "a turn's length", Value: 2 * time.Second},
		},
		Action: func(c *cli.Context) error {
			dir, err := os.MkdirTemp("", "bench")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			script, err := writeScript(dir)
			if err != nil {
				return err
			}
			for _, name := range c.StringSlice("workload") {
				w, err := workload(name)
				if err != nil {
					return err
				}
				text, _ := json.Marshal(w)
				var o hello
				ours, err := startOurs(&o, string(text))
				if err != nil {
					return err
				}
				defer ours.close()
				list := []*contender{ours.contender("ours", kernel.Level(), c.Duration("slice"))}
				for _, python := range c.StringSlice("python") {
					p := pytorch{python, script, runtime.NumCPU()}
					best, err := p.fastest(w, openblasLibraries(), c.Duration("slice"), say)
					if err != nil {
						return err
					}
					peer, h, err := p.start(w, best)
					if err != nil {
						return err
					}
					defer peer.close()
					list = append(list, peer.contender("PyTorch "+h.Version, best.String(), c.Duration("slice")))
					if err := sameSize(python, o, h); err != nil {
						return err
					}
				}
				if d := c.String("llmc"); d != "" && w.Name == "gpt2-124m" {
					l, err := newLLMC(d, dir, runtime.NumCPU())
					if err != nil {
						return err
					}
					list = append(list, &contender{name: "llm.c", setting: "OpenMP", measure: func() (ourSlice, error) {
						s, err := l.measure(2)
						return ourSlice{slice: s}, err
					}})
				}
				row, err := steps(w, list, c.Int("rounds"), func(int, int) {})
				if err != nil {
					return err
				}
				fmt.Printf("%s: B = %d, T = %d, %.1f GFLOP\n", w.Name, w.Batch, w.Model.Context, row.GFLOP)
				for _, p := range row.Peers {
					fmt.Printf("%-16s %9.2f ms (%.2f-%.2f)  %7.0f tokens/s %6.0f GFLOP/s  ratio %.2f (%.2f-%.2f)  %s\n", p.Name, p.Step.Median, p.Step.Min, p.Step.Max,
						float64(w.Tokens())/p.Step.Median*1e3, row.GFLOP/p.Step.Median*1e3, p.Ratio.Median, p.Ratio.Min, p.Ratio.Max, p.Setting)
					for _, name := range keysByTime(p.Parts) {
						fmt.Printf("    %-32s %9.3f ms %5.1f %%\n", name, p.Parts[name], 100*p.Parts[name]/p.Step.Median)
					}
				}
				fmt.Println()
			}
			return nil
		},
	}
}

// keysByTime orders parts, the longest first.
func keysByTime(parts map[string]float64) []string {
	var names []string
	for name := range parts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if parts[a] > parts[b] {
			return -1
		}
		return 1
	})
	return names
}
