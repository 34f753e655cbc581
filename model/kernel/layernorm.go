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
	t := layerNormTask{level: best, y: y, mean: mean, rstd: rstd, x: x, gain: gain, bias: bias, rows: rows, d: d, eps: eps}
	t.rowsPerPiece = rowsPerPiece(d)
	run(&layerNormSlot, t, blocks(rows, t.rowsPerPiece))
}

// LayerNormGrad takes dy[rows,d], the gradient of LayerNorm's result, to dx,
// which it sets or, with accumulate, adds to, and adds to dgain[d] and dbias[d]
// (both may be nil: not wanted). mean and rstd are LayerNorm's.
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
	t := layerNormGradTask{level: best, dx: dx, dy: dy, x: x, gain: gain, mean: mean, rstd: rstd, rows: rows, d: d, accumulate: accumulate}
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
		t.level.add(dgain[:d], dgain[:d], sums[:d])
		t.level.add(dbias[:d], dbias[:d], sums[d:2*d])
	}
}

type layerNormTask struct {
	level                        *level
	y, mean, rstd, x, gain, bias []float32
	rows, d, rowsPerPiece        int
	eps                          float32
}

var layerNormSlot layerNormTask

func (t *layerNormTask) piece(_ *worker, i int) {
	d := t.d
	from, to := block(i, t.rowsPerPiece, t.rows)
	for r := from; r < to; r++ {
		t.mean[r], t.rstd[r] = t.level.normalize(t.y[r*d:r*d+d], t.x[r*d:r*d+d], t.gain[:d], t.bias[:d], t.eps)
	}
}

type layerNormGradTask struct {
	level                       *level
	dx, dy, x, gain, mean, rstd []float32
	sums                        []float32 // [pieces,2,d]: dgain and dbias of a piece's rows; nil: not asked for
	rows, d, rowsPerPiece       int
	accumulate                  bool
}

// affineRows is the number of rows in a piece at least: so many to one that adds up pieces.
const affineRows = 16

// Guarded by the pool's lock.
var (
	layerNormGradSlot layerNormGradTask
	affineSums        []float32
)

func (t *layerNormGradTask) piece(_ *worker, i int) {
	d := t.d
	from, to := block(i, t.rowsPerPiece, t.rows)
	if t.sums != nil {
		sums := t.sums[i*2*d:][:2*d]
		clear(sums)
		t.level.affineGrad(sums[:d], sums[d:], t.dy[from*d:], t.x[from*d:], d, t.mean[from:to], t.rstd[from:to])
	}
	for r := from; r < to; r++ {
		t.level.normalizeGrad(t.dx[r*d:r*d+d], t.dy[r*d:r*d+d], t.x[r*d:r*d+d], t.gain[:d], t.mean[r], t.rstd[r], t.accumulate)
	}
}

func normalizeGo(y, x, gain, bias []float32, eps float32) (mean, rstd float32) {
	n := float32(len(x))
	for _, v := range x {
		mean += v
	}
	mean /= n
	var variance float32
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	rstd = 1 / float32(math.Sqrt(float64(variance/n+eps)))
	for i, v := range x {
		y[i] = (v-mean)*rstd*gain[i] + bias[i]
	}
	return mean, rstd
}

// normalizeGradGo: with z = (x − mean)·rstd and g = dy·gain,
// dx = rstd·(g − avg(g) − z·avg(g·z)).
func normalizeGradGo(dx, dy, x, gain []float32, mean, rstd float32, accumulate bool) {
	var sum, dot float32
	for i, v := range x {
		g := dy[i] * gain[i]
		sum += g
		dot += g * (v - mean) * rstd
	}
	n := float32(len(x))
	sum, dot = sum/n, dot/n
	for i, v := range x {
		g := rstd * (dy[i]*gain[i] - sum - (v-mean)*rstd*dot)
		if accumulate {
			g += dx[i]
		}
		dx[i] = g
	}
}

// affineGradGo adds what rows, ld floats apart, one for each mean, contribute to the
// gradients of gain and bias.
func affineGradGo(dgain, dbias, dy, x []float32, ld int, mean, rstd []float32) {
	for r, m := range mean {
		for j := range dgain {
			g := dy[r*ld+j]
			dgain[j] += g * ((x[r*ld+j] - m) * rstd[r])
			dbias[j] += g
		}
	}
}
