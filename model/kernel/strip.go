package kernel

// strip is the shape of the scores of a block of queries: a row for each key, ld floats
// apart, a column for each query. Query c sees the first from+c+1 of the keys. So what
// softmax needs of a query lies in one lane of vectors, no vector of theirs ends
// amid a row, and what differs at the edge between past and future is a triangle.
type strip struct{ keys, queries, ld, from int }

// sees is how many keys query c sees.
func (s strip) sees(c int) int { return min(s.from+c+1, s.keys) }

// softmaxGo takes scores x to weights, in place: e^(scale·x − shift)/sum for the keys
// that a query sees, 0 for the others. shift is scale times its largest score, sum that
// of the exponentials.
func softmaxGo(x []float32, s strip, scale float32, shift, sum []float32) {
	for c := range s.queries {
		largest := x[c]
		for j := range s.sees(c) {
			largest = max(largest, x[j*s.ld+c])
		}
		shift[c] = scale * largest
	}
	weightsGo(x, s, scale, shift)
	for c := range s.queries {
		sum[c] = 0
		for j := range s.sees(c) {
			sum[c] += x[j*s.ld+c]
		}
		for j := range s.sees(c) {
			x[j*s.ld+c] *= 1 / sum[c]
		}
	}
}

// weightsGo takes scores x to e^(scale·x − lse) in place, or to 0 where a query doesn't
// see the key.
func weightsGo(x []float32, s strip, scale float32, lse []float32) {
	for j := range s.keys {
		row := x[j*s.ld:][:s.queries]
		for c := range row {
			if j < s.sees(c) {
				row[c] = exp32(scale*row[c] - lse[c])
			} else {
				row[c] = 0
			}
		}
	}
}

// scoreGradGo takes the gradient of softmax's result, dp, to that of the scores before
// their scaling, in place: dp = p·(dp − delta)·scale, delta = Σ p·dp, or 0 where a query
// doesn't see the key.
func scoreGradGo(dp, p []float32, s strip, scale float32, delta []float32) {
	for j := range s.keys {
		row, weights := dp[j*s.ld:][:s.queries], p[j*s.ld:][:s.queries]
		for c := range row {
			if j < s.sees(c) {
				row[c] = weights[c] * (row[c] - delta[c]) * scale
			} else {
				row[c] = 0
			}
		}
	}
}
