//go:build !purego

package kernel

func softmaxLanes8(x []float32, s scoreBlock, scale float32, lse []float32) {
	s.weightsBy(8, softmaxAVX2, x, scale, lse)
}

func softmaxLanes16(x []float32, s scoreBlock, scale float32, lse []float32) {
	s.weightsBy(16, softmaxAVX512, x, scale, lse)
}

func weightsLanes8(x []float32, s scoreBlock, scale float32, lse []float32) {
	s.weightsBy(8, weightsAVX2, x, scale, lse)
}

func weightsLanes16(x []float32, s scoreBlock, scale float32, lse []float32) {
	s.weightsBy(16, weightsAVX512, x, scale, lse)
}

// weightsBy calls kernel, which makes weights of scores, for each vector of columns.
func (s scoreBlock) weightsBy(lanes int, kernel func(x *float32, ld, full, triangle, rest int, scale float32, lse *float32), x []float32, scale float32, lse []float32) {
	s.columns(lanes, x, lse, func(c, full, triangle, rest int) {
		kernel(&x[c], s.ld, full, triangle, rest, scale, &lse[c])
	})
}

func scoreGradLanes8(dp, p []float32, s scoreBlock, scale float32) {
	_ = p[:len(dp)]
	s.columns(8, dp, nil, func(c, full, triangle, rest int) {
		scoreGradAVX2(&dp[c], &p[c], s.ld, full, triangle, rest, scale)
	})
}

func scoreGradLanes16(dp, p []float32, s scoreBlock, scale float32) {
	_ = p[:len(dp)]
	s.columns(16, dp, nil, func(c, full, triangle, rest int) {
		scoreGradAVX512(&dp[c], &p[c], s.ld, full, triangle, rest, scale)
	})
}

// columns calls f for every vector of columns c…c+lanes−1, the last of which may be padded:
// all its lanes see the first full keys, lane t sees the first t+1 of the triangle keys that
// follow, and no lane sees the rest. It checks the bounds of x, and of lse unless that is
// nil, which assembly doesn't.
func (s scoreBlock) columns(lanes int, x, lse []float32, f func(c, full, triangle, rest int)) {
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
