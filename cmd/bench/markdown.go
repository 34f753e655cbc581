package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tinygpt/study/perf"
)

// markdown writes a summary for a readme, then all figures.
func (r report) markdown(w io.Writer) error {
	p := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	m := r.Machine
	p("%s, %d threads, %s; %s, %s; float32. Each peer in its fastest setting, in turn with ours; medians of one run.\n", m.CPU, m.Threads, m.SIMD, m.Go, m.Date)
	p("| | this program | peer | times faster (min–max) |")
	p("|---|---|---|---|")
	for _, t := range r.Products {
		p("| matrix products of %s, mean of %d | %.0f GFLOP/s | %s: %.0f GFLOP/s | %s |",
			describe(t.Workload), len(t.Rows), t.Ours.Median, t.Peer, t.Other.Median, times(t.Ratio))
	}
	for _, t := range r.Steps {
		for _, row := range t.Rows[1:] {
			p("| training step, %s | %s ms | %s: %s ms | %s |", describe(t.Workload), short(t.Rows[0].Ms.Median), row.Name, short(row.Ms.Median), times(row.Ratio))
		}
	}
	var shares []float64
	for _, t := range r.Products {
		p("\n### Products of %s\n", describe(t.Workload))
		p("%s, %s, kernels for %s. Peak of multiply-adds: %.0f GFLOP/s.\n", t.Peer, t.Setting, t.Kernels, t.Peak)
		p("| product | m×n×k | GFLOP/s | of peak | OpenBLAS | ratio (min–max) |")
		p("|---|---|---|---|---|---|")
		for _, row := range t.Rows {
			shares = append(shares, row.Ours.Median/t.Peak)
			p("| %s | %d×%d×%d | %.0f | %.0f %% | %.0f | %s |", row.Name, row.Shape[0], row.Shape[1], row.Shape[2],
				row.Ours.Median, 100*row.Ours.Median/t.Peak, row.Other.Median, times(row.Ratio))
		}
		p("| geometric mean | | %.0f | %.0f %% | %.0f | %s |", t.Ours.Median, 100*t.Ours.Median/t.Peak, t.Other.Median, times(t.Ratio))
	}
	for _, t := range r.Steps {
		p("\n### Training steps of %s\n", describe(t.Workload))
		p("%.1f GFLOP a step. Peak of multiply-adds: %.0f GFLOP/s.\n", t.GFLOP, t.Peak)
		p("| | ms (min–max) | tokens/s | GFLOP/s | of peak | its time by ours | setting |")
		p("|---|---|---|---|---|---|---|")
		for _, row := range t.Rows {
			rate := t.GFLOP / row.Ms.Median * 1e3
			shares = append(shares, rate/t.Peak)
			p("| %s | %s (%s–%s) | %.0f | %.0f | %.0f %% | %s | %s |", row.Name, short(row.Ms.Median), short(row.Ms.Min), short(row.Ms.Max),
				float64(t.Workload.Tokens())/row.Ms.Median*1e3, rate, 100*rate/t.Peak, times(row.Ratio), row.Setting)
		}
		for _, row := range t.Rows {
			if len(row.Parts) > 0 {
				p("\n%s, ms: %s", row.Name, parts(row.Parts))
			}
		}
	}
	if busy := perf.Busy(shares...); busy != "" {
		p("\n%s", busy)
	}
	return nil
}

// describe returns the name of a workload with its batch.
func describe(w perf.Workload) string {
	return fmt.Sprintf("%s (%d × %d, B = %d, T = %d)", w.Name, w.Model.Layers, w.Model.Width, w.Batch, w.Model.Context)
}

func times(s perf.Spread) string { return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Min, s.Max) }

// short writes a number with three significant digits, or larger ones as whole numbers.
func short(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// parts lists the parts of a step, longest first, without those below a hundredth of the
// longest.
func parts(p map[string]float64) string {
	var names []string
	longest := 0.0
	for name, ms := range p {
		names = append(names, name)
		longest = max(longest, ms)
	}
	slices.SortFunc(names, func(a, b string) int {
		if p[a] != p[b] {
			if p[a] > p[b] {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	var words []string
	for _, name := range names {
		if p[name] > longest/100 {
			words = append(words, fmt.Sprintf("%s %s", name, short(p[name])))
		}
	}
	return strings.Join(words, ", ")
}

// growthMarkdown writes the points of the sweeps.
func growthMarkdown(w io.Writer, list []*sweep) {
	for _, s := range list {
		fmt.Fprintf(w, "\n| %s | GFLOP | ms (min–max) | counted, ms | measured / counted |\n|---|---|---|---|---|\n", s.What)
		for _, p := range s.Points {
			fmt.Fprintf(w, "| %d | %.1f | %s (%s–%s) | %s | %.2f |\n", p.Value, p.GFLOP, short(p.Ms.Median), short(p.Ms.Min), short(p.Ms.Max), short(p.Predicted), p.ratio())
		}
	}
}
