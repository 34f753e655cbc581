//go:build !purego

package kernel

func softmaxLanes8(x []float32, s strip, scale float32, shift, sum []float32) {
	s.columns(8, x, shift, sum, func(c, full, triangle, rest int) {
		softmaxAVX2(&x[c], s.ld, full, triangle, rest, scale, &shift[c], &sum[c])
	})
}

func softmaxLanes16(x []float32, s strip, scale float32, shift, sum []float32) {
	s.columns(16, x, shift, sum, func(c, full, triangle, rest int) {
		softmaxAVX512(&x[c], s.ld, full, triangle, rest, scale, &shift[c], &sum[c])
	})
}

func weightsLanes8(x []float32, s strip, scale float32, lse []float32) {
	s.columns(8, x, lse, lse, func(c, full, triangle, rest int) {
		weightsAVX2(&x[c], s.ld, full, triangle, rest, scale, &lse[c])
	})
}

func weightsLanes16(x []float32, s strip, scale float32, lse []float32) {
	s.columns(16, x, lse, lse, func(c, full, triangle, rest int) {
		weightsAVX512(&x[c], s.ld, full, triangle, rest, scale, &lse[c])
	})
}

func scoreGradLanes8(dp, p []float32, s strip, scale float32, delta []float32) {
	_ = p[:len(dp)]
	s.columns(8, dp, delta, delta, func(c, full, triangle, rest int) {
		scoreGradAVX2(&dp[c], &p[c], s.ld, full, triangle, rest, scale, &delta[c])
	})
}

func scoreGradLanes16(dp, p []float32, s strip, scale float32, delta []float32) {
	_ = p[:len(dp)]
	s.columns(16, dp, delta, delta, func(c, full, triangle, rest int) {
		scoreGradAVX512(&dp[c], &p[c], s.ld, full, triangle, rest, scale, &delta[c])
	})
}

// columns runs f for every vector of columns, the last one too is whole: from column c
// on, all lanes see full keys, some the triangle's, none the rest. It proves the bounds
// that assembly doesn't check.
func (s strip) columns(lanes int, x, a, b []float32, f func(c, full, triangle, rest int)) {
	if s.queries == 0 {
		return
	}
	n := padded(s.queries, lanes)
	_, _, _ = x[(s.keys()-1)*s.ld+n-1], a[n-1], b[n-1]
	for c := 0; c < n; c += lanes {
		full := s.from + c
		triangle := min(lanes, s.keys()-full)
		f(c, full, triangle, s.keys()-full-triangle)
	}
}
