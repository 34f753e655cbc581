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
