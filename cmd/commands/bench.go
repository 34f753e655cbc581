package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/study/perf"
	"tinygpt/train"
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:  "bench",
		Usage: "measure how fast this computer trains and samples",
		Description: `Measures matrix products, training steps and sampling with random weights, and compares with the
peak of this CPU's multiply-adds and of its memory, which are measured too. Takes a
minute or so and 2.3 GB of memory for GPT-2's steps; close other programs meanwhile.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "quick", Usage: "seconds instead: shorter, and without training GPT-2"},
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			ctx, stop := interruptible(c)
			defer stop()
			plan := perf.Full
			if c.Bool("quick") {
				plan = perf.Quick
			}
			p := terminal.NewStages(c.App.ErrWriter)
			report, err := plan.Measure(ctx, p.Show)
			p.Clear()
			if errors.Is(err, context.Canceled) {
				fmt.Fprintln(c.App.ErrWriter, "gpt: interrupted, nothing is left behind")
				return train.ErrInterrupted
			}
			if err != nil {
				return err
			}
			if wantsJSON(c) {
				return printJSON(c, report)
			}
			return printBench(c.App.Writer, report)
		},
	}
}

// printBench writes a report as tables.
func printBench(w io.Writer, r perf.Report) error {
	fmt.Fprintf(w, "%s\n%s, gpt %s\n", r.Machine, r.Machine.Date, r.Machine.Program)
	fmt.Fprintf(w, "peak of multiply-adds: %.0f GFLOP/s; memory reads: %.1f GB/s\n", r.PeakGFLOPS, r.BandwidthGBPerS)
	t := terminal.Table{Right: func(int) bool { return true }}
	row := func(format string, args ...any) { t.Row(strings.Split(fmt.Sprintf(format, args...), "\t")...) }

	fmt.Fprintln(w, "\nMatrix products (dX and dW: gradients of a linear map's input and weights)")
	row("model\tproduct\tm×n×k\tGFLOP/s\tof peak")
	for _, p := range r.Products {
		row("%s\t%s\t%d×%d×%d\t%.0f\t%.0f %%", p.Workload, p.Name, p.Shape[0], p.Shape[1], p.Shape[2], p.GFLOPS, 100*p.OfPeak)
	}
	fmt.Fprint(w, t.Text())

	fmt.Fprintln(w, "\nTraining steps (float32, no dropout)")
	row("model\tbatch × tokens\tms\ttokens/s\tGFLOP/s\tof peak")
	for _, x := range r.Training {
		row("%s\t%d × %d\t%.1f\t%s\t%.0f\t%.0f %%", x.Workload.Name, x.Workload.Batch, x.Workload.Model.Context,
			x.StepMs, number.Thousands(int(x.TokensPerSecond)), x.GFLOPS, 100*x.OfPeak)
	}
	fmt.Fprint(w, t.Text())
	for _, x := range r.Training {
		fmt.Fprintf(w, "\nWhere a step of %s goes (heap: %.0f allocations, %.1f kB)\n", x.Workload.Name, x.Allocations, x.AllocatedBytes/1e3)
		for _, p := range x.Parts {
			row("%s\t%.2f ms\t%.1f %%", p.Name, p.Ms, 100*p.Share)
		}
		fmt.Fprint(w, t.Text())
	}

	fmt.Fprintln(w, "\nSampling, one text at a time (temperature 0.8, top-k 50)")
	row("model\ttokens/s\tGB/s read\tof memory's bandwidth")
	for _, s := range r.Sampling {
		share := "weights stay in the caches"
		if s.OfBandwidth > 0 {
			share = fmt.Sprintf("%.0f %%", 100*s.OfBandwidth)
		}
		row("%s\t%.0f\t%.1f\t%s", s.Workload.Name, s.TokensPerSecond, s.GBPerSecond, share)
	}
	fmt.Fprint(w, t.Text())
	if busy := r.Busy(); busy != "" {
		fmt.Fprintf(w, "\n%s\n", busy)
	}
	return nil
}
