//go:build !purego

package kernel

type (
	combineRowsKernel func(y *float32, ldy, n int, a *float32, lda int, x *float32, ldx, steps int)
	dotsRowsKernel    func(c *float32, ldc, n int, a *float32, lda int, x *float32, ldx, far, steps int)
)

// Kernels of products of few rows by the rows that they take.
var (
	combineRowsAVX2   = [...]combineRowsKernel{nil, combineRows1AVX2, combineRows2AVX2}
	dotsRowsAVX2      = [...]dotsRowsKernel{nil, dotsRows1AVX2, dotsRows2AVX2}
	combineRowsAVX512 = [...]combineRowsKernel{nil, combineRows1AVX512, combineRows2AVX512, combineRows3AVX512, combineRows4AVX512}
	dotsRowsAVX512    = [...]dotsRowsKernel{nil, dotsRows1AVX512, dotsRows2AVX512, dotsRows3AVX512, dotsRows4AVX512}
)

func combineRowsLanes8(y []float32, ldy, rows, n int, a []float32, lda int, x []float32, ldx, steps int) {
	runCombineRows(combineRowsAVX2[rows], y, ldy, rows, n, a, lda, x, ldx, steps)
}

func combineRowsLanes16(y []float32, ldy, rows, n int, a []float32, lda int, x []float32, ldx, steps int) {
	runCombineRows(combineRowsAVX512[rows], y, ldy, rows, n, a, lda, x, ldx, steps)
}

// runCombineRows proves the bounds that assembly doesn't check.
func runCombineRows(kernel combineRowsKernel, y []float32, ldy, rows, n int, a []float32, lda int, x []float32, ldx, steps int) {
	if n == 0 || steps == 0 {
		return
	}
	last := streams*steps - 1
	_, _, _ = y[(rows-1)*ldy+n-1], a[(rows-1)*lda+last], x[last*ldx+n-1]
	kernel(&y[0], ldy, n, &a[0], lda, &x[0], ldx, steps)
}

func dotsRowsLanes8(c []float32, ldc, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	runDotsRows(dotsRowsAVX2[rows], c, ldc, rows, n, a, lda, x, ldx, far, steps)
}

func dotsRowsLanes16(c []float32, ldc, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	runDotsRows(dotsRowsAVX512[rows], c, ldc, rows, n, a, lda, x, ldx, far, steps)
}

// runDotsRows proves the bounds that assembly doesn't check.
func runDotsRows(kernel dotsRowsKernel, c []float32, ldc, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	if n == 0 || steps == 0 {
		return
	}
	last := (streams-1)*far + steps - 1
	_, _, _ = c[(rows-1)*ldc+last], a[(rows-1)*lda+n-1], x[last*ldx+n-1]
	kernel(&c[0], ldc, n, &a[0], lda, &x[0], ldx, far, steps)
}
