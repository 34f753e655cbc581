package kernel

// strip is the shape of the scores of a block of up to queryBlock queries: a row for each key, ld floats
// apart, a column for each query, of which query c sees the keys up to from+c, the last
// one all. So what softmax needs of a query lies in one lane of vectors, and what
// differs at the edge between past and future is a triangle. Between the last query and
// the end of its vector anything may be read and written.
type strip struct{ from, queries, ld int }

// keys is the number of rows.
func (s strip) keys() int { return s.from + s.queries }

// first is the first query that sees key j.
func (s strip) first(j int) int { return max(0, j-s.from) }

// halves calls do for both halves of the strip's queries, n from c on: those before c see
// none of the keys from first on.
func (s strip) halves(do func(c, n, first int)) {
	half := min(queryBlock/2, s.queries)
	do(0, half, 0)
	if half < s.queries {
		do(half, s.queries-half, s.from+half)
	}
}

// softmaxGo takes scores x to weights e^(scale·x − lse), in place, or to 0 where a query
// doesn't see the key. It sets lse to log Σ e^(scale·x) over those that it sees.
func softmaxGo(x []float32, s strip, scale float32, lse []float32) {
	var shift, sum [queryBlock]float32
	copy(shift[:], x[:s.queries])
	for j := range s.keys() {
		row := x[j*s.ld:][:s.queries]
		for c := s.first(j); c < len(row); c++ {
			shift[c] = max(shift[c], row[c])
		}
	}
	for c := range shift {
		shift[c] *= scale
	}
	weightsGo(x, s, scale, shift[:])
	for j := range s.keys() {
		for c, p := range x[j*s.ld:][:s.queries] {
			sum[c] += p
		}
	}
	for c := range lse[:s.queries] {
		lse[c] = shift[c] + log(sum[c])
	}
	for c := range sum {
		sum[c] = 1 / sum[c]
	}
	for j := range s.keys() {
		row := x[j*s.ld:][:s.queries]
		for c := range row {
			row[c] *= sum[c]
		}
	}
}

// weightsGo takes scores x to e^(scale·x − lse) in place, or to 0 where a query doesn't
// see the key. As lse is that of the scores, no exponent is above 0 but for rounding, and
// assembly relies on that; it may take a weight below the normal numbers to 0.
func weightsGo(x []float32, s strip, scale float32, lse []float32) {
	for j := range s.keys() {
		row, first := x[j*s.ld:][:s.queries], s.first(j)
		clear(row[:first])
		for c := first; c < len(row); c++ {
			row[c] = exp32(scale*row[c] - lse[c])
		}
	}
}

// scoreGradGo takes the gradient of softmax's result, dp, to that of the scores before
// their scaling, in place: dp = p·(dp − Σ p·dp)·scale, the sum over the keys that a query
// sees, or 0 where it doesn't see the key.
func scoreGradGo(dp, p []float32, s strip, scale float32) {
	var delta [queryBlock]float32
	for j := range s.keys() {
		row, weights := dp[j*s.ld:][:s.queries], p[j*s.ld:][:s.queries]
		for c := s.first(j); c < len(row); c++ {
			delta[c] += weights[c] * row[c]
		}
	}
	for j := range s.keys() {
		row, weights, first := dp[j*s.ld:][:s.queries], p[j*s.ld:][:s.queries], s.first(j)
		clear(row[:first])
		for c := first; c < len(row); c++ {
			row[c] = weights[c] * (row[c] - delta[c]) * scale
		}
	}
}
