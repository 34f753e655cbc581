package kernel

// StudentForces computes the forces between points of a plane in t-SNE (van der Maaten
// and Hinton 2008, equations 4 and 5). With the weight q = 1/(1 + |a − b|²) of a pair,
// attract[i] = Σ_j p[i,j]·q·(point i − point j), repel[i] = Σ_j q²·(point i − point j),
// and the result is Σ q over all ordered pairs of different points. The gradient of the
// cost is 4·(attract − repel/result).
//
// points, attract and repel [2, n] have all x, then all y; p is [n, n], whose diagonal
// has no effect.
func StudentForces(attract, repel, points, p []float32, n int) float64 {
	need("StudentForces", "attract", len(attract), 2*n)
	need("StudentForces", "repel", len(repel), 2*n)
	need("StudentForces", "points", len(points), 2*n)
	need("StudentForces", "p", len(p), n*n)
	return runSum(&studentSlot, studentTask{active, attract, repel, points, p, n}, blocks(n, studentRows))
}

// studentRows is the number of points in a piece.
const studentRows = 8

type studentTask struct {
	isa                       *instructionSet
	attract, repel, points, p []float32
	n                         int
}

var studentSlot studentTask

func (t *studentTask) piece(_ *worker, piece int) {
	n := t.n
	x, y := t.points[:n], t.points[n:2*n]
	var sum float64
	from, to := block(piece, studentRows, n)
	for i := from; i < to; i++ {
		sums := t.isa.studentForces(t.p[i*n:(i+1)*n], x, y, x[i], y[i])
		sum += float64(sums[0]) - 1 // without the point itself
		t.attract[i], t.attract[n+i] = sums[1], sums[2]
		t.repel[i], t.repel[n+i] = sums[3], sums[4]
	}
	workers.partial[piece] = sum
}

// studentForcesGo returns, for the point (px, py), Σ q and the two forces.
func studentForcesGo(p, x, y []float32, px, py float32) (sums [5]float32) {
	x, y = x[:len(p)], y[:len(p)]
	for j, w := range p {
		dx, dy := px-x[j], py-y[j]
		q := 1 / (1 + dx*dx + dy*dy)
		sums[0] += q
		w *= q
		sums[1] += w * dx
		sums[2] += w * dy
		q *= q
		sums[3] += q * dx
		sums[4] += q * dy
	}
	return sums
}
