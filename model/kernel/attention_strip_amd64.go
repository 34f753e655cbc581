//go:build !purego

package kernel

func softmaxLanes8(x []float32, s strip, scale float32, lse []float32) {
	s.columns(8, x, lse, func(c, full, triangle, rest int) {
		softmaxAVX2(&x[c], s.ld, full, triangle, rest, scale, &lse[c])
	})
}

func softmaxLanes16(x []float32, s strip, scale float32, lse []float32) {
	s.columns(16, x, lse, func(c, full, triangle, rest int) {
		softmaxAVX512(&x[c], s.ld, full, triangle, rest, scale, &lse[c])
	})
}

func weightsLanes8(x []float32, s strip, scale float32, lse []float32) {
	s.columns(8, x, lse, func(c, full, triangle, rest int) {
		weightsAVX2(&x[c], s.ld, full, triangle, rest, scale, &lse[c])
	})
}

func weightsLanes16(x []float32, s strip, scale float32, lse []float32) {
	s.columns(16, x, lse, func(c, full, triangle, rest int) {
		weightsAVX512(&x[c], s.ld, full, triangle, rest, scale, &lse[c])
	})
}

func scoreGradLanes8(dp, p []float32, s strip, scale float32) {
	_ = p[:len(dp)]
	s.columns(8, dp, nil, func(c, full, triangle, rest int) {
		scoreGradAVX2(&dp[c], &p[c], s.ld, full, triangle, rest, scale)
	})
}

func scoreGradLanes16(dp, p []float32, s strip, scale float32) {
	_ = p[:len(dp)]
	s.columns(16, dp, nil, func(c, full, triangle, rest int) {
		scoreGradAVX512(&dp[c], &p[c], s.ld, full, triangle, rest, scale)
	})
}

// columns runs f for every vector of columns, the last one too is whole: from column c
// on, all lanes see full keys, some the triangle's, none the rest. It proves the bounds
// that assembly doesn't check, of lse unless it's nil.
func (s strip) columns(lanes int, x, lse []float32, f func(c, full, triangle, rest int)) {
	if s.queries == 0 {
		return
	}
	n := padded(s.queries, lanes)
	_ = x[(s.keys()-1)*s.ld+n-1]
	if lse != nil {
		_ = lse[n-1]
	}
	for c := 0; c < n; c += lanes {
		full := s.from + c
		triangle := min(lanes, s.keys()-full)
		f(c, full, triangle, s.keys()-full-triangle)
	}
}
