package kernel

import "math"

// LayerNorm computes y = (x − mean)·rstd·gain + bias for each row of x[rows,d],
// rstd = 1/√(variance + eps) with the biased variance (Ba, Kiros, Hinton, "Layer
// Normalization", 2016, section 3). mean[rows] and rstd[rows] are kept for the backward
// pass. y may be x.
func LayerNorm(y, mean, rstd, x, gain, bias []float32, rows, d int, eps float32) {
	const f = "LayerNorm"
	size(f, "rows", rows)
	size(f, "d", d)
	need(f, "y", len(y), rows*d)
	need(f, "mean", len(mean), rows)
	need(f, "rstd", len(rstd), rows)
	need(f, "x", len(x), rows*d)
	need(f, "gain", len(gain), d)
	need(f, "bias", len(bias), d)
	if d == 0 {
		return
	}
	t := layerNormTask{isa: active, y: y, mean: mean, rstd: rstd, x: x, gain: gain, bias: bias, rows: rows, d: d, eps: eps}
	t.rowsPerPiece = rowsPerPiece(d)
	run(&layerNormSlot, t, blocks(rows, t.rowsPerPiece))
}

// LayerNormGrad is the backward pass of LayerNorm: from dy[rows,d], the gradient of its result,
// it sets dx[rows,d] or, with accumulate, adds to it, and it adds to dgain[d] and dbias[d]
// unless both are nil. x, gain, mean and rstd are as LayerNorm read and wrote them.
func LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd []float32, rows, d int, accumulate bool) {
	const f = "LayerNormGrad"
	size(f, "rows", rows)
	size(f, "d", d)
	need(f, "dx", len(dx), rows*d)
	need(f, "dy", len(dy), rows*d)
	need(f, "x", len(x), rows*d)
	need(f, "gain", len(gain), d)
	need(f, "mean", len(mean), rows)
	need(f, "rstd", len(rstd), rows)
	if d == 0 {
		return
	}
	t := layerNormGradTask{isa: active, dx: dx, dy: dy, x: x, gain: gain, mean: mean, rstd: rstd, rows: rows, d: d, accumulate: accumulate}
	t.rowsPerPiece = max(affineRows, rowsPerPiece(d))
	workers.mu.Lock()
	defer workers.mu.Unlock()
	pieces := blocks(rows, t.rowsPerPiece)
	if dgain != nil || dbias != nil {
		need(f, "dgain", len(dgain), d)
		need(f, "dbias", len(dbias), d)
		t.sums = grow(&affineSums, pieces*2*d)
	}
	runLocked(&layerNormGradSlot, t, pieces)
	for sums := t.sums; len(sums) > 0; sums = sums[2*d:] {
		t.isa.add(dgain[:d], dgain[:d], sums[:d])
		t.isa.add(dbias[:d], dbias[:d], sums[d:2*d])
	}
}

type layerNormTask struct {
	isa                          *instructionSet
	y, mean, rstd, x, gain, bias []float32
	rows, d, rowsPerPiece        int
	eps                          float32
}

var layerNormSlot layerNormTask

func (t *layerNormTask) piece(_ *worker, i int) {
	d := t.d
	from, to := block(i, t.rowsPerPiece, t.rows)
	t.isa.normalize(t.y[from*d:], t.x[from*d:], t.gain[:d], t.bias[:d], t.mean[from:to], t.rstd[from:to], t.eps)
}

type layerNormGradTask struct {
	isa                         *instructionSet
	dx, dy, x, gain, mean, rstd []float32
	sums                        []float32 // [pieces,2,d]: dgain and dbias of each piece's rows; nil: not wanted
	rows, d, rowsPerPiece       int
	accumulate                  bool
}

// affineRows is the minimum number of rows per piece; it keeps the final summation of the
// pieces' sums cheap.
const affineRows = 16

// Guarded by the pool's lock.
var (
	layerNormGradSlot layerNormGradTask
	affineSums        []float32
)

func (t *layerNormGradTask) piece(_ *worker, i int) {
	d := t.d
	from, to := block(i, t.rowsPerPiece, t.rows)
	// normalizeGrad comes first: it reads the rows in the order of memory, which affineGrad doesn't.
	t.isa.normalizeGrad(t.dx[from*d:], t.dy[from*d:], t.x[from*d:], t.gain[:d], t.mean[from:to], t.rstd[from:to], t.accumulate)
	if t.sums != nil {
		sums := t.sums[i*2*d:][:2*d]
		clear(sums)
		t.isa.affineGrad(sums[:d], sums[d:], t.dy[from*d:], t.x[from*d:], d, t.mean[from:to], t.rstd[from:to])
	}
}

// normalizeGo is LayerNorm of len(mean) rows of len(gain) floats.
func normalizeGo(y, x, gain, bias, mean, rstd []float32, eps float32) {
	d := len(gain)
	for r := range mean {
		var sum, squares float32
		row := x[r*d:][:d]
		for _, v := range row {
			sum += v
		}
		m := sum / float32(d)
		for _, v := range row {
			squares += (v - m) * (v - m)
		}
		s := 1 / float32(math.Sqrt(float64(squares/float32(d)+eps)))
		for i, v := range row {
			y[r*d+i] = (v-m)*s*gain[i] + bias[i]
		}
		mean[r], rstd[r] = m, s
	}
}

// normalizeGradGo sets dx, or adds to it, for len(mean) rows of len(gain) floats: with
// z = (x − mean)·rstd and g = dy·gain, dx = rstd·(g − avg(g) − z·avg(g·z)).
func normalizeGradGo(dx, dy, x, gain, mean, rstd []float32, accumulate bool) {
	d := len(gain)
	for r, m := range mean {
		var sum, dot float32
		row := x[r*d:][:d]
		for i, v := range row {
			g := dy[r*d+i] * gain[i]
			sum += g
			dot += g * (v - m) * rstd[r]
		}
		sum, dot = sum/float32(d), dot/float32(d)
		for i, v := range row {
			g := rstd[r] * (dy[r*d+i]*gain[i] - sum - (v-m)*rstd[r]*dot)
			if accumulate {
				g += dx[r*d+i]
			}
			dx[r*d+i] = g
		}
	}
}

// affineGradGo adds to dgain and dbias what len(mean) rows, ld floats apart, contribute.
func affineGradGo(dgain, dbias, dy, x []float32, ld int, mean, rstd []float32) {
	for r, m := range mean {
		for j := range dgain {
			g := dy[r*ld+j]
			dgain[j] += g * ((x[r*ld+j] - m) * rstd[r])
			dbias[j] += g
		}
	}
}
