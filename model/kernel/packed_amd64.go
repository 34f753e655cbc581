//go:build !purego

package kernel

type packedKernel func(c *float32, ldc int, a *float32, lda int, w *uint32, blocks, far, steps int)

// packedBFloat16AVX2 and the others are kernels by the number of rows of x that they take.
var (
	packedBFloat16AVX2   = [...]packedKernel{nil, packedDotsBFloat161AVX2, packedDotsBFloat162AVX2}
	packedInt8AVX2       = [...]packedKernel{nil, packedDotsInt81AVX2, packedDotsInt82AVX2}
	packedBFloat16AVX512 = [...]packedKernel{nil, packedDotsBFloat161AVX512, packedDotsBFloat162AVX512, packedDotsBFloat163AVX512, packedDotsBFloat164AVX512}
	packedInt8AVX512     = [...]packedKernel{nil, packedDotsInt81AVX512, packedDotsInt82AVX512, packedDotsInt83AVX512, packedDotsInt84AVX512}
)

func dotsBFloat16Lanes8(c []float32, ldc, rows int, a []float32, lda int, w []uint32, blocks, far, steps int) {
	runPackedDots(packedBFloat16AVX2[rows], bfloat16Columns, bfloat16Words, c, ldc, rows, a, lda, w, blocks, far, steps)
}

func dotsInt8Lanes8(c []float32, ldc, rows int, a []float32, lda int, w []uint32, blocks, far, steps int) {
	runPackedDots(packedInt8AVX2[rows], int8Columns, int8Words, c, ldc, rows, a, lda, w, blocks, far, steps)
}

func dotsBFloat16Lanes16(c []float32, ldc, rows int, a []float32, lda int, w []uint32, blocks, far, steps int) {
	runPackedDots(packedBFloat16AVX512[rows], bfloat16Columns, bfloat16Words, c, ldc, rows, a, lda, w, blocks, far, steps)
}

func dotsInt8Lanes16(c []float32, ldc, rows int, a []float32, lda int, w []uint32, blocks, far, steps int) {
	runPackedDots(packedInt8AVX512[rows], int8Columns, int8Words, c, ldc, rows, a, lda, w, blocks, far, steps)
}

// runPackedDots checks the bounds that assembly doesn't check, and calls it.
func runPackedDots(kernel packedKernel, columns, words int, c []float32, ldc, rows int, a []float32, lda int, w []uint32, blocks, far, steps int) {
	if blocks == 0 || steps == 0 {
		return
	}
	last := (streams-1)*far + steps - 1
	_, _, _ = c[(rows-1)*ldc+last], a[(rows-1)*lda+blocks*columns-1], w[(last+1)*blocks*words-1]
	kernel(&c[0], ldc, &a[0], lda, &w[0], blocks, far, steps)
}

func unpackBFloat16Lanes8(x []float32, w []uint32) {
	runUnpack(unpackBFloat16AVX2, bfloat16Columns, bfloat16Words, x, w)
}

func unpackInt8Lanes8(x []float32, w []uint32) {
	runUnpack(unpackInt8AVX2, int8Columns, int8Words, x, w)
}

func unpackBFloat16Lanes16(x []float32, w []uint32) {
	runUnpack(unpackBFloat16AVX512, bfloat16Columns, bfloat16Words, x, w)
}

func unpackInt8Lanes16(x []float32, w []uint32) {
	runUnpack(unpackInt8AVX512, int8Columns, int8Words, x, w)
}

func runUnpack(kernel func(x *float32, w *uint32, blocks int), columns, words int, x []float32, w []uint32) {
	n := len(w) / words
	if n == 0 {
		return
	}
	_ = x[n*columns-1]
	kernel(&x[0], &w[0], n)
}
