//go:build !purego

package kernel

type microKernel func(k int, a *float32, aRow, aStep int, b *float32, bStep, bNext int, bias, add *float32, ldAdd int, c *float32, ldc, last, aNext, tiles, panels int)

// tilesAVX2 and tilesAVX512 are micro-kernels by the vectors and the rows of their tile.
var (
	tilesAVX2 = [3][7]microKernel{
		1: {nil, tile1x1AVX2, tile2x1AVX2, tile3x1AVX2, tile4x1AVX2, tile5x1AVX2, tile6x1AVX2},
		2: {nil, tile1x2AVX2, tile2x2AVX2, tile3x2AVX2, tile4x2AVX2, tile5x2AVX2, tile6x2AVX2},
	}
	tilesAVX512 = [4][15]microKernel{
		1: {nil, tile1x1AVX512, tile2x1AVX512, tile3x1AVX512, tile4x1AVX512, tile5x1AVX512, tile6x1AVX512, tile7x1AVX512,
			tile8x1AVX512, tile9x1AVX512, tile10x1AVX512, tile11x1AVX512, tile12x1AVX512, tile13x1AVX512, tile14x1AVX512},
		2: {nil, tile1x2AVX512, tile2x2AVX512, tile3x2AVX512, tile4x2AVX512, tile5x2AVX512, tile6x2AVX512, tile7x2AVX512,
			tile8x2AVX512, tile9x2AVX512, tile10x2AVX512, tile11x2AVX512, tile12x2AVX512, tile13x2AVX512, tile14x2AVX512},
		3: {nil, tile1x3AVX512, tile2x3AVX512, tile3x3AVX512, tile4x3AVX512, tile5x3AVX512, tile6x3AVX512, tile7x3AVX512,
			tile8x3AVX512, tile9x3AVX512},
	}
)

func tilesLanes8(k int, a []float32, aRow, aStep, aNext int, b []float32, bStep, bNext int, bias, add []float32, ldAdd int, c []float32, ldc, m, n, tiles, panels int) {
	v := blocks(n, 8)
	runTiles(tilesAVX2[v][m], 8, v, k, a, aRow, aStep, aNext, b, bStep, bNext, bias, add, ldAdd, c, ldc, m, n, tiles, panels)
}

func tilesLanes16(k int, a []float32, aRow, aStep, aNext int, b []float32, bStep, bNext int, bias, add []float32, ldAdd int, c []float32, ldc, m, n, tiles, panels int) {
	v := blocks(n, 16)
	runTiles(tilesAVX512[v][m], 16, v, k, a, aRow, aStep, aNext, b, bStep, bNext, bias, add, ldAdd, c, ldc, m, n, tiles, panels)
}

// runTiles checks the bounds that assembly doesn't check, and calls the micro-kernel.
func runTiles(kernel microKernel, lanes, vectors, k int, a []float32, aRow, aStep, aNext int, b []float32, bStep, bNext int, bias, add []float32, ldAdd int, c []float32, ldc, m, n, tiles, panels int) {
	before := (panels - 1) * n // columns of the panels before the last
	var pa, pb *float32
	if k > 0 {
		_ = a[(tiles-1)*aNext+(m-1)*aRow+(k-1)*aStep]
		_ = b[(panels-1)*bNext+(k-1)*bStep+vectors*lanes-1]
		pa, pb = &a[0], &b[0]
	}
	var pbias, padd *float32
	if bias != nil {
		_ = bias[before+vectors*lanes-1]
		pbias = &bias[0]
	}
	if add != nil {
		_ = add[(tiles*m-1)*ldAdd+before+n-1]
		padd = &add[0]
	}
	_ = c[(tiles*m-1)*ldc+before+n-1]
	kernel(k, pa, aRow, aStep, pb, bStep, bNext, pbias, padd, ldAdd, &c[0], ldc, n-(vectors-1)*lanes, aNext, tiles, panels)
}

func packRowsLanes8(dst []float32, ldd, next int, src []float32, lds, k, w, panels int) {
	packRowsBy(8, packRowsAVX2, dst, ldd, next, src, lds, k, w, panels)
}

func packRowsLanes16(dst []float32, ldd, next int, src []float32, lds, k, w, panels int) {
	packRowsBy(16, packRowsAVX512, dst, ldd, next, src, lds, k, w, panels)
}

func packRowsBy(lanes int, pack func(dst *float32, ldd int, src *float32, lds, k, full, load, store, panels, width, next int), dst []float32, ldd, next int, src []float32, lds, k, w, panels int) {
	full := (ldd - 1) / lanes
	if k == 0 || w <= full*lanes || panels == 0 { // nothing to pack, or only padding
		packRowsGo(dst, ldd, next, src, lds, k, w, panels)
		return
	}
	_, _ = dst[(panels-1)*next+k*ldd-1], src[(k-1)*lds+panels*w-1]
	pack(&dst[0], ldd, &src[0], lds, k, full, w-full*lanes, ldd-full*lanes, panels, w, next)
}

func packColumnsLanes8(dst []float32, ldd int, src []float32, lds, k, w int) {
	packColumnsBy(8, transposeAVX2, dst, ldd, src, lds, k, w)
}

func packColumnsLanes16(dst []float32, ldd int, src []float32, lds, k, w int) {
	packColumnsBy(16, transposeAVX512, dst, ldd, src, lds, k, w)
}

// packColumnsBy transposes whole squares in assembly, and the rest in Go.
func packColumnsBy(lanes int, transpose func(dst *float32, ldd int, src *float32, lds, squares, rows, store int), dst []float32, ldd int, src []float32, lds, k, w int) {
	squares := k / lanes
	if squares == 0 || lanes == 8 && ldd%lanes != 0 && (ldd < 4 || ldd > lanes) {
		packColumnsGo(dst, ldd, src, lds, k, w)
		return
	}
	whole := squares * lanes
	_, _ = dst[(k-1)*ldd+ldd-1], src[(w-1)*lds+k-1]
	for i := 0; i < w; i += lanes {
		transpose(&dst[i], ldd, &src[i*lds], lds, squares, min(lanes, w-i), min(lanes, ldd-i))
	}
	if pad := padded(w, lanes); pad < ldd {
		for s := range whole {
			clear(dst[s*ldd+pad : s*ldd+ldd])
		}
	}
	if whole < k {
		packColumnsGo(dst[whole*ldd:], ldd, src[whole:], lds, k-whole, w)
	}
}

func dotsLanes8(sums, x, y []float32, ldy int) { dotsBy(dots1AVX2, dots8AVX2, sums, x, y, ldy) }

func dotsLanes16(sums, x, y []float32, ldy int) { dotsBy(dots1AVX512, dots8AVX512, sums, x, y, ldy) }

func dotsBy(one, eight func(sum *float32, x []float32, y *float32, ldy int), sums, x, y []float32, ldy int) {
	if len(x) == 0 {
		clear(sums)
		return
	}
	r := 0
	for ; r+8 <= len(sums); r += 8 {
		_ = y[(r+7)*ldy+len(x)-1]
		eight(&sums[r], x, &y[r*ldy], ldy)
	}
	for ; r < len(sums); r++ {
		_ = y[r*ldy+len(x)-1]
		one(&sums[r], x, &y[r*ldy], ldy)
	}
}

func combineLanes8(y, coef, x []float32, ldx int) {
	combineBy(combine1AVX2, combine8AVX2, y, coef, x, ldx)
}

func combineLanes16(y, coef, x []float32, ldx int) {
	combineBy(combine1AVX512, combine8AVX512, y, coef, x, ldx)
}

func combineBy(one, eight func(y []float32, coef, x *float32, ldx int), y, coef, x []float32, ldx int) {
	if len(coef) == 0 || len(y) == 0 {
		return
	}
	_ = x[(len(coef)-1)*ldx+len(y)-1]
	if len(coef) == 8 {
		eight(y, &coef[0], &x[0], ldx)
		return
	}
	for s := range coef {
		one(y, &coef[s], &x[s*ldx], ldx)
	}
}

func columnSumsLanes8(sum, x []float32, ldx, rows int) {
	columnSumsBy(columnSumsAVX2, sum, x, ldx, rows)
}

func columnSumsLanes16(sum, x []float32, ldx, rows int) {
	columnSumsBy(columnSumsAVX512, sum, x, ldx, rows)
}

func columnSumsBy(add func(sum []float32, x *float32, ldx, rows int), sum, x []float32, ldx, rows int) {
	if len(sum) > 0 && rows > 0 {
		_ = x[(rows-1)*ldx+len(sum)-1]
		add(sum, &x[0], ldx, rows)
	}
}
