//go:build !purego

package kernel

func affineGradLanes8(dgain, dbias, dy, x []float32, ld int, mean, rstd []float32) {
	affineGradBy(affineGradAVX2, dgain, dbias, dy, x, ld, mean, rstd)
}

func affineGradLanes16(dgain, dbias, dy, x []float32, ld int, mean, rstd []float32) {
	affineGradBy(affineGradAVX512, dgain, dbias, dy, x, ld, mean, rstd)
}

// affineGradBy proves the bounds that assembly doesn't check.
func affineGradBy(kernel func(dgain, dbias []float32, dy, x *float32, ld int, mean, rstd *float32, rows int), dgain, dbias, dy, x []float32, ld int, mean, rstd []float32) {
	d, rows := len(dgain), len(mean)
	if d == 0 || rows == 0 {
		return
	}
	_, _, _, _ = dbias[d-1], rstd[rows-1], dy[(rows-1)*ld+d-1], x[(rows-1)*ld+d-1]
	kernel(dgain, dbias, &dy[0], &x[0], ld, &mean[0], &rstd[0], rows)
}
