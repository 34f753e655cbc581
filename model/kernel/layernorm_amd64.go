//go:build !purego

package kernel

func normalizeLanes8(y, x, gain, bias, mean, rstd []float32, eps float32) {
	normalizeBy(normalizeAVX2, y, x, gain, bias, mean, rstd, eps)
}

func normalizeLanes16(y, x, gain, bias, mean, rstd []float32, eps float32) {
	normalizeBy(normalizeAVX512, y, x, gain, bias, mean, rstd, eps)
}

// normalizeBy checks the bounds that assembly doesn't check, and calls it.
func normalizeBy(kernel func(y, x *float32, gain, bias []float32, mean, rstd *float32, rows int, eps float32), y, x, gain, bias, mean, rstd []float32, eps float32) {
	d, rows := len(gain), len(mean)
	if d == 0 || rows == 0 {
		return
	}
	_, _, _, _ = y[rows*d-1], x[rows*d-1], bias[d-1], rstd[rows-1]
	kernel(&y[0], &x[0], gain, bias, &mean[0], &rstd[0], rows, eps)
}

func normalizeGradLanes8(dx, dy, x, gain, mean, rstd []float32, accumulate bool) {
	normalizeGradBy(normalizeGradAVX2, dx, dy, x, gain, mean, rstd, accumulate)
}

func normalizeGradLanes16(dx, dy, x, gain, mean, rstd []float32, accumulate bool) {
	normalizeGradBy(normalizeGradAVX512, dx, dy, x, gain, mean, rstd, accumulate)
}

// normalizeGradBy checks the bounds that assembly doesn't check, and calls it.
func normalizeGradBy(kernel func(dx, dy, x *float32, gain []float32, mean, rstd *float32, rows int, accumulate bool), dx, dy, x, gain, mean, rstd []float32, accumulate bool) {
	d, rows := len(gain), len(mean)
	if d == 0 || rows == 0 {
		return
	}
	_, _, _, _ = dx[rows*d-1], dy[rows*d-1], x[rows*d-1], rstd[rows-1]
	kernel(&dx[0], &dy[0], &x[0], gain, &mean[0], &rstd[0], rows, accumulate)
}

func affineGradLanes8(dgain, dbias, dy, x []float32, ld int, mean, rstd []float32) {
	affineGradBy(affineGradAVX2, dgain, dbias, dy, x, ld, mean, rstd)
}

func affineGradLanes16(dgain, dbias, dy, x []float32, ld int, mean, rstd []float32) {
	affineGradBy(affineGradAVX512, dgain, dbias, dy, x, ld, mean, rstd)
}

// affineGradBy checks the bounds that assembly doesn't check, and calls it.
func affineGradBy(kernel func(dgain, dbias []float32, dy, x *float32, ld int, mean, rstd *float32, rows int), dgain, dbias, dy, x []float32, ld int, mean, rstd []float32) {
	d, rows := len(dgain), len(mean)
	if d == 0 || rows == 0 {
		return
	}
	_, _, _, _ = dbias[d-1], rstd[rows-1], dy[(rows-1)*ld+d-1], x[(rows-1)*ld+d-1]
	kernel(dgain, dbias, &dy[0], &x[0], ld, &mean[0], &rstd[0], rows)
}
