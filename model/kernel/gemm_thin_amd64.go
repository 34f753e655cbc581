//go:build !purego

package kernel

type thinKernel func(y *float32, ldy, n int, a *float32, lda int, x *float32, ldx, far, steps int)

// Kernels of thin products by the rows that they take.
var (
	thinCombineAVX2   = [...]thinKernel{nil, thinCombine1AVX2, thinCombine2AVX2}
	thinDotsAVX2      = [...]thinKernel{nil, thinDots1AVX2, thinDots2AVX2}
	thinCombineAVX512 = [...]thinKernel{nil, thinCombine1AVX512, thinCombine2AVX512, thinCombine3AVX512, thinCombine4AVX512}
	thinDotsAVX512    = [...]thinKernel{nil, thinDots1AVX512, thinDots2AVX512, thinDots3AVX512, thinDots4AVX512}
)

func thinCombineLanes8(y []float32, ldy, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	runThinCombine(thinCombineAVX2[rows], y, ldy, rows, n, a, lda, x, ldx, far, steps)
}

func thinCombineLanes16(y []float32, ldy, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	runThinCombine(thinCombineAVX512[rows], y, ldy, rows, n, a, lda, x, ldx, far, steps)
}

// runThinCombine proves the bounds that assembly doesn't check.
func runThinCombine(kernel thinKernel, y []float32, ldy, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	if n == 0 || steps == 0 {
		return
	}
	last := (thinStreams-1)*far + steps - 1
	_, _, _ = y[(rows-1)*ldy+n-1], a[(rows-1)*lda+last], x[last*ldx+n-1]
	kernel(&y[0], ldy, n, &a[0], lda, &x[0], ldx, far, steps)
}

func thinDotsLanes8(c []float32, ldc, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	runThinDots(thinDotsAVX2[rows], c, ldc, rows, n, a, lda, x, ldx, far, steps)
}

func thinDotsLanes16(c []float32, ldc, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	runThinDots(thinDotsAVX512[rows], c, ldc, rows, n, a, lda, x, ldx, far, steps)
}

func runThinDots(kernel thinKernel, c []float32, ldc, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	if n == 0 || steps == 0 {
		return
	}
	last := (thinStreams-1)*far + steps - 1
	_, _, _ = c[(rows-1)*ldc+last], a[(rows-1)*lda+n-1], x[last*ldx+n-1]
	kernel(&c[0], ldc, n, &a[0], lda, &x[0], ldx, far, steps)
}
