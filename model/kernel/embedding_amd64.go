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
