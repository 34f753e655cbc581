package chart

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"

	"tinygpt/internal/number"
)

// Ticks puts labels where people would: at multiples of 1, 2, 2.5 or 5 times a power of ten, the
// smallest step that makes at most that many intervals (the rule of matplotlib's MaxNLocator).
type Ticks int

// Ticks implements plot.Ticker.
func (most Ticks) Ticks(low, high float64) (ticks []plot.Tick) {
	if !(high > low) || math.IsInf(high-low, 0) {
		return []plot.Tick{{Value: low, Label: tickLabel(low, 0)}}
	}
	power := math.Floor(math.Log10((high - low) / float64(most)))
	step := 0.0
	for _, s := range []float64{1, 2, 2.5, 5, 10} {
		if step = s * math.Pow(10, power); math.Floor(high/step+slack)-math.Ceil(low/step-slack) <= float64(most) {
			break
		}
	}
	first, last := math.Ceil(low/step-slack)+0, math.Floor(high/step+slack) // 0, not -0
	if !(math.Abs(first) < 1e15 && math.Abs(last) < 1e15) {
		// Of neighbouring numbers, no multiple of the step is told from the next.
		return []plot.Tick{{Value: low, Label: tickLabel(low, 0)}}
	}
	for i := first; i <= last; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: tickLabel(i*step, step)})
	}
	return ticks
}

// slack is the share of a step by which a tick may miss the end of an axis, for rounding.
const slack = 1e-9

// tickLabel writes a multiple of step with the decimals that step has.
func tickLabel(v, step float64) string {
	if math.Abs(v) >= 1e7 || step > 0 && step < 1e-4 {
		text := strconv.FormatFloat(v, 'g', 4, 64)
		text = strings.Replace(text, "e+0", "e", 1)
		text = strings.Replace(text, "e+", "e", 1)
		return strings.Replace(text, "e-0", "e-", 1)
	}
	decimals := 0
	for s := step; decimals < 9 && math.Abs(s-math.Round(s)) > 1e-6*s; s *= 10 {
		decimals++
	}
	if step == 0 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	if decimals == 0 {
		return number.Thousands(int(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// LogTicks are at 1, 2 and 5 of each decade, or where that would be too many, at 1. Where it
// would be fewer than three, or the axis can't be logarithmic, they are those of a linear
// axis.
func LogTicks(low, high float64) (ticks []plot.Tick) {
	if !(low > 0) || math.IsInf(high, 0) {
		return Ticks(5).Ticks(low, high)
	}
	digits := []float64{1, 2, 5}
	if high > 1e4*low {
		digits = digits[:1]
	}
	for decade := math.Floor(math.Log10(low)); decade <= math.Log10(high); decade++ {
		for _, n := range digits {
			if v := n * math.Pow(10, decade); v >= low && v <= high {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 4, 64)})
			}
		}
	}
	if len(ticks) < 3 && high > low {
		return Ticks(5).Ticks(low, high)
	}
	return ticks
}
