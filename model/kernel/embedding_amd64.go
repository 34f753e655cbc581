//go:build !purego

package kernel

import (
	"fmt"
	"unsafe"
)

func sigmoidRowsLanes8(x, weights []float32, n int)  { sigmoidRowsBy(sigmoidRowsAVX2, x, weights, n) }
func sigmoidRowsLanes16(x, weights []float32, n int) { sigmoidRowsBy(sigmoidRowsAVX512, x, weights, n) }

// sigmoidRowsBy proves the bounds that assembly doesn't check.
func sigmoidRowsBy(rows func(x *float32, weights []float32, n int), x, weights []float32, n int) {
	if len(weights) > 0 && n > 0 {
		_ = x[len(weights)*n-1]
		rows(&x[0], weights, n)
	}
}

func gloveStepLanes8(w, x, rates []float32, f, log float32, nextW, nextX []float32) float32 {
	return gloveStepBy(gloveStepAVX2, w, x, rates, f, log, nextW, nextX)
}

func gloveStepLanes16(w, x, rates []float32, f, log float32, nextW, nextX []float32) float32 {
	return gloveStepBy(gloveStepAVX512, w, x, rates, f, log, nextW, nextX)
}

// gloveStepBy proves the bounds that assembly doesn't check. A row of a table is a multiple
// of 16 floats.
func gloveStepBy(step func(w, x, rates *float32, n int, f, log float32, nextW, nextX *float32) float32, w, x, rates []float32, f, log float32, nextW, nextX []float32) float32 {
	n := len(w) / 2
	if n == 0 {
		return -log
	}
	_, _, _, _ = x[2*n-1], rates[n-1], nextW[2*n-1], nextX[2*n-1]
	return step(&w[0], &x[0], &rates[0], n, f, log, &nextW[0], &nextX[0])
}

func gatherRowsLanes8(to, table []float32, rows []int32, stride int) {
	gatherRowsBy(gatherRowsAVX2, to, table, rows, stride)
}

func gatherRowsLanes16(to, table []float32, rows []int32, stride int) {
	gatherRowsBy(gatherRowsAVX512, to, table, rows, stride)
}

// gatherRowsBy proves the bounds that assembly doesn't check.
func gatherRowsBy(gather func(to, table *float32, rows []int32, stride int), to, table []float32, rows []int32, stride int) {
	if len(rows) == 0 || stride == 0 {
		return
	}
	_ = to[len(rows)*stride-1]
	for _, r := range rows {
		_ = table[int(r)*stride : int(r)*stride+stride]
	}
	gather(&to[0], &table[0], rows, stride)
}

func addStepsLanes8(row, steps []float32, list []int32, stride int, later []float32) {
	addStepsBy(addStepsAVX2, row, steps, list, stride, later)
}

func addStepsLanes16(row, steps []float32, list []int32, stride int, later []float32) {
	addStepsBy(addStepsAVX512, row, steps, list, stride, later)
}

// addStepsBy proves the bounds that assembly doesn't check.
func addStepsBy(add func(row, steps *float32, list []int32, stride int, later *float32), row, steps []float32, list []int32, stride int, later []float32) {
	if len(list) == 0 || stride == 0 {
		return
	}
	_, _ = row[stride-1], later[stride-1]
	for _, e := range list {
		_ = steps[int(e)*stride : int(e)*stride+stride]
	}
	add(&row[0], &steps[0], list, stride, &later[0])
}

func sumWindowsLanes8(sums, rows []float32, from, to []int32, first int, shares []float32, stride int) {
	windowsBy(sumWindowsAVX2, sums, rows, from, to, first, shares, stride)
}

func sumWindowsLanes16(sums, rows []float32, from, to []int32, first int, shares []float32, stride int) {
	windowsBy(sumWindowsAVX512, sums, rows, from, to, first, shares, stride)
}

func addWindowsLanes8(x, rows []float32, from, to []int32, first int, shares []float32, stride int) {
	windowsBy(addWindowsAVX2, x, rows, from, to, first, shares, stride)
}

func addWindowsLanes16(x, rows []float32, from, to []int32, first int, shares []float32, stride int) {
	windowsBy(addWindowsAVX512, x, rows, from, to, first, shares, stride)
}

func dotWindowsLanes8(x, rows []float32, from, to []int32, first int, dots []float32, stride int) {
	pairsBy(dotWindowsAVX2, x, rows, from, to, first, dots, stride)
}

func dotWindowsLanes16(x, rows []float32, from, to []int32, first int, dots []float32, stride int) {
	pairsBy(dotWindowsAVX512, x, rows, from, to, first, dots, stride)
}

func mixWindowsLanes8(sums, rows []float32, from, to []int32, first int, weights []float32, stride int) {
	pairsBy(mixWindowsAVX2, sums, rows, from, to, first, weights, stride)
}

func mixWindowsLanes16(sums, rows []float32, from, to []int32, first int, weights []float32, stride int) {
	pairsBy(mixWindowsAVX512, sums, rows, from, to, first, weights, stride)
}

func stepWindowsLanes8(x, rows []float32, from, to []int32, first int, weights []float32, stride int) {
	pairsBy(stepWindowsAVX2, x, rows, from, to, first, weights, stride)
}

func stepWindowsLanes16(x, rows []float32, from, to []int32, first int, weights []float32, stride int) {
	pairsBy(stepWindowsAVX512, x, rows, from, to, first, weights, stride)
}

// windowsBy proves the bounds that assembly doesn't check.
func windowsBy(windows func(list, rows *float32, from, to []int32, first int, shares *float32, stride int), list, rows []float32, from, to []int32, first int, shares []float32, stride int) {
	n := len(from)
	if n == 0 || stride == 0 {
		return
	}
	_, _ = list[n*stride-1], shares[n-1]
	within(rows, from, to[:n], first, stride)
	windows(&list[0], &rows[0], from, to, first, &shares[0], stride)
}

// pairsBy proves the bounds that assembly doesn't check.
func pairsBy(windows func(list, rows *float32, from, to []int32, first int, numbers *float32, stride int), list, rows []float32, from, to []int32, first int, numbers []float32, stride int) {
	n := len(from)
	if n == 0 || stride == 0 {
		return
	}
	_ = list[n*stride-1]
	pairs := within(rows, from, to[:n], first, stride)
	windows(&list[0], &rows[0], from, to, first, unsafe.SliceData(numbers[:pairs]), stride)
}

// within proves that windows lie in the rows and hold their own places. It returns how many
// other places they hold.
func within(rows []float32, from, to []int32, first, stride int) (pairs int) {
	for c, a := range from {
		b, own := int(to[c]), first+c
		if a < 0 || own < int(a) || own >= b || b*stride > len(rows) {
			panic(fmt.Sprintf("kernel: the window from %d to %d doesn't hold its own place, %d", a, b, own))
		}
		pairs += b - int(a) - 1
	}
	return pairs
}

func dotPairsLanes8(dots, x, y []float32, stride int) { dotPairsBy(dotPairsAVX2, dots, x, y, stride) }
func dotPairsLanes16(dots, x, y []float32, stride int) {
	dotPairsBy(dotPairsAVX512, dots, x, y, stride)
}

// dotPairsBy proves the bounds that assembly doesn't check.
func dotPairsBy(dotPairs func(dots []float32, x, y *float32, stride int), dots, x, y []float32, stride int) {
	if n := len(dots) * stride; n > 0 {
		_, _ = x[n-1], y[n-1]
		dotPairs(dots, &x[0], &y[0], stride)
	}
}

func stepPairsLanes8(dx, dy, x, y, g []float32, stride int) {
	stepPairsBy(stepPairsAVX2, dx, dy, x, y, g, stride)
}

func stepPairsLanes16(dx, dy, x, y, g []float32, stride int) {
	stepPairsBy(stepPairsAVX512, dx, dy, x, y, g, stride)
}

// stepPairsBy proves the bounds that assembly doesn't check.
func stepPairsBy(stepPairs func(dx, dy, x, y *float32, g []float32, stride int), dx, dy, x, y, g []float32, stride int) {
	if n := len(g) * stride; n > 0 {
		_, _, _, _ = dx[n-1], dy[n-1], x[n-1], y[n-1]
		stepPairs(&dx[0], &dy[0], &x[0], &y[0], g, stride)
	}
}
