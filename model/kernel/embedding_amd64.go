//go:build !purego

package kernel

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

func addStepsLanes8(row, steps []float32, list []int32, stride int) {
	addStepsBy(addStepsAVX2, row, steps, list, stride)
}

func addStepsLanes16(row, steps []float32, list []int32, stride int) {
	addStepsBy(addStepsAVX512, row, steps, list, stride)
}

// addStepsBy proves the bounds that assembly doesn't check.
func addStepsBy(add func(row, steps *float32, list []int32, stride int), row, steps []float32, list []int32, stride int) {
	if len(list) == 0 || stride == 0 {
		return
	}
	_ = row[stride-1]
	for _, e := range list {
		_ = steps[int(e)*stride : int(e)*stride+stride]
	}
	add(&row[0], &steps[0], list, stride)
}
