package kernel

// scoreBlock is the shape of a [keys × queries] block of attention scores: a row for each
// key, ld floats apart, a column for each of up to queryBlock queries.
//
// The causal mask: query c, at position from+c, sees keys 0…from+c. softmaxGo, weightsGo and
// scoreGradGo set all other entries to 0. The last query sees all keys. With queries in
// columns, what softmax sums for a query lies in one lane of vectors, and the mask is a
// triangle of the last rows. Columns between the last query and the end of its vector may be
// read and written.
type scoreBlock struct{ from, queries, ld int }

// keys is the number of keys, that is of rows.
func (s scoreBlock) keys() int { return s.from + s.queries }

// first is the first query that sees key j.
func (s scoreBlock) first(j int) int { return max(0, j-s.from) }

// halves splits the queries in two and calls do(c, n, first) for each half: n queries
// starting at column c. Keys from first on are masked for every query left of c, so a product
// over the queries from c on is complete for them.
func (s scoreBlock) halves(do func(c, n, first int)) {
	half := min(queryBlock/2, s.queries)
	do(0, half, 0)
	if half < s.queries {
		do(half, s.queries-half, s.from+half)
	}
}

// softmaxGo replaces scores x by weights e^(scale·x − lse), or by 0 where the causal mask hides
// the key. It sets lse to log Σ e^(scale·x) over the keys that a query sees.
func softmaxGo(x []float32, s scoreBlock, scale float32, lse []float32) {
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

// weightsGo replaces scores x by e^(scale·x − lse), or by 0 where the causal mask hides the
// key, for the lse that softmaxGo computed. Exponents are therefore at most 0, apart from
// rounding: assembly relies on that, and may set a weight that is too small for a normal
// float32 to 0.
func weightsGo(x []float32, s scoreBlock, scale float32, lse []float32) {
	for j := range s.keys() {
		row, first := x[j*s.ld:][:s.queries], s.first(j)
		clear(row[:first])
		for c := first; c < len(row); c++ {
			row[c] = exp32(scale*row[c] - lse[c])
		}
	}
}

// scoreGradGo replaces dp, the gradient of the weights p, by the gradient of the unscaled
// scores: p·(dp − Σ p·dp)·scale, with the sum over the keys that a query sees, or 0 where the
// causal mask hides the key.
func scoreGradGo(dp, p []float32, s scoreBlock, scale float32) {
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
