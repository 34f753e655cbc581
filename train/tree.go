package train

import "tinygpt/model/kernel"

// tree adds up the gradients of a step's parts: first those of neighbours, then the sums
// that are neighbours, and so on; what has no neighbour goes up as it is. So the sum has the
// same bits however the parts are distributed over processes, as long as each process has
// whole branches.
type tree struct {
	parts int
	// waiting are the sums that wait for their neighbour, by level and parameter.
	waiting [][][]float32
}

// add takes grad, the gradient of parameter i in part n. Parts come in order. For the last
// part it returns what the sum of all parts is the sum of: x and y, or x alone if y is nil.
// x is grad's memory, which add writes to.
func (t *tree) add(n, i int, grad []float32) (x, y []float32) {
	last := n == t.parts-1
	for level := 0; ; level, n = level+1, n>>1 {
		switch {
		case last && n == 0:
			return grad, nil
		case last && n == 1:
			return grad, t.at(level, i, len(grad))
		case n&1 == 1:
			kernel.Add(grad, t.at(level, i, len(grad)), grad)
		case !last:
			kernel.Copy(t.at(level, i, len(grad)), grad)
			return nil, nil
		}
	}
}

// at is the memory of parameter i at a level.
func (t *tree) at(level, i, size int) []float32 {
	for level >= len(t.waiting) {
		t.waiting = append(t.waiting, nil)
	}
	for i >= len(t.waiting[level]) {
		t.waiting[level] = append(t.waiting[level], nil)
	}
	if t.waiting[level][i] == nil {
		t.waiting[level][i] = kernel.Memory(size)
	}
	return t.waiting[level][i]
}

// addUp adds up pieces of one length, neighbours first as a tree does, into the first one.
func addUp(pieces [][]float32) {
	const chunk = 64 << 10 // so that what is added up stays in cache
	for from := 0; from < len(pieces[0]); from += chunk {
		to := min(from+chunk, len(pieces[0]))
		for step := 1; step < len(pieces); step *= 2 {
			for i := 0; i+step < len(pieces); i += 2 * step {
				kernel.Add(pieces[i][from:to], pieces[i][from:to], pieces[i+step][from:to])
			}
		}
	}
}
