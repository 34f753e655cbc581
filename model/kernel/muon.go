package kernel

import "math"

// Muon is one step of Muon (Jordan et al., "Muon: An optimizer for hidden layers in neural
// networks", 2024): what a matrix changes by is the momentum of its gradient, made nearly
// orthogonal. Weight decay, and the factor that makes a matrix change by as much as AdamW
// would change it at the same rate, are those of Liu et al., "Muon is Scalable for LLM
// Training" (2025), section 2.2.
type Muon struct {
	Momentum  float32
	GradScale float32 // the gradient is read as grad·GradScale: clipping, averaging
}

// Matrix is what Muon changes: Rows × Cols of a parameter, Stride floats from a row to the
// next in Param, Grad and M, the momentum of the gradient. So parts of a parameter that lie
// side by side can be matrices of their own.
type Matrix struct {
	Param, Grad, M     []float32
	Rows, Cols, Stride int
	LR, WeightDecay    float32
}

// Newton and Schulz's iteration X ← aX + b(XXᵀ)X + c(XXᵀ)²X, five times, with Jordan's
// coefficients: singular values from 0.003 to 1 come to between 0.68 and 1.2.
const (
	muonA, muonB, muonC = 3.4445, -4.7750, 2.0315
	muonIterations      = 5
	// muonFloor is the least that a matrix is divided by to make its norm 1, as in PyTorch's
	// Muon: the rounding errors of a gradient that is 0 don't become a step.
	muonFloor = 1e-7
)

// Update changes each matrix and its momentum:
//
//	g = grad·GradScale
//	m = βm + (1−β)g,  u = βm + (1−β)g
//	param = param·(1 − LR·WeightDecay) − LR·0.2·√max(Rows, Cols)·NewtonSchulz(u/|u|)
//
// A piece is a matrix. All iterates are polynomials of the Gram matrix of u's shorter side,
// times u, and these polynomials are symmetric and commute. So the iteration runs on them,
// of which only the upper half is computed: with G = uuᵀ/|u|² and P = aI + bG + cG², the
// product Q of all P becomes QP, and G becomes PGP. One product of Q and u, added to param,
// is the end.
func (o Muon) Update(ms ...Matrix) {
	const f = "Muon.Update"
	for _, m := range ms {
		if m.Rows < 1 || m.Cols < 1 || m.Stride < m.Cols {
			badSize(f, "Rows, Cols or Stride", min(m.Rows, m.Cols, m.Stride))
		}
		floats := (m.Rows-1)*m.Stride + m.Cols
		need(f, "Param", len(m.Param), floats)
		need(f, "Grad", len(m.Grad), floats)
		need(f, "M", len(m.M), floats)
	}
	run(&muonSlot, muonTask{active, o, ms, [1]float32{float32(1-float64(o.Momentum)) * o.GradScale}}, len(ms))
}

type muonTask struct {
	isa  *instructionSet
	step Muon
	list []Matrix
	rest [1]float32 // what the gradient is multiplied by
}

// Guarded by the pool's lock.
var muonSlot muonTask

func (t *muonTask) piece(w *worker, i int) {
	isa, m := t.isa, &t.list[i]
	rows, cols := m.Rows, m.Cols
	short, long := min(rows, cols), max(rows, cols)
	scratch := w.floats(isa.muonFloats(rows, cols))
	u, scratch := carve(scratch, padded(rows*cols, cacheLine))
	u = u[:rows*cols]
	norm := t.momentum(u, m)
	isa.scale(u, float32(1/norm))

	q := newtonSchulz{isa: isa, n: short}
	for _, x := range []*[]float32{&q.gram, &q.product, &q.p, &q.h, &q.next} {
		*x, scratch = carve(scratch, padded(short*short, cacheLine))
		*x = (*x)[:short*short]
	}
	q.scratch = scratch
	if rows < cols {
		b := isa.columnPanels(scratch, u, cols, cols, rows)
		q.symmetric(q.gram, cols, u, cols, 1, b)
	} else {
		b, _ := isa.rowPanels(scratch, u, cols, rows, cols)
		q.symmetric(q.gram, rows, u, 1, cols, b)
	}
	q.iterate()
	isa.scale(q.product, float32(-float64(m.LR)*0.2*math.Sqrt(float64(long))))
	if rows < cols {
		b, _ := isa.rowPanels(scratch, u, cols, rows, cols)
		isa.multiply(rows, cols, rows, q.product, rows, 1, b, m.Param, m.Stride, true)
	} else {
		b, _ := isa.rowPanels(scratch, q.product, cols, cols, cols)
		isa.multiply(rows, cols, cols, u, cols, 1, b, m.Param, m.Stride, true)
	}
}

// MuonBytes is the memory in which each thread updates matrices of rows × cols.
func MuonBytes(rows, cols int) int64 { return 4 * int64(active.muonFloats(rows, cols)) }

// muonFloats is the scratch for a matrix: u, five matrices of the shorter side, and panels.
func (isa *instructionSet) muonFloats(rows, cols int) int {
	short, long := min(rows, cols), max(rows, cols)
	return padded(rows*cols, cacheLine) + 5*padded(short*short, cacheLine) + max(isa.panelFloats(short, long), isa.panelFloats(cols, short))
}

// momentum takes the gradient of m into its momentum, writes to u what is to be made
// orthogonal, and lets the parameter decay. It returns the norm of u, or muonFloor if that
// is more.
func (t *muonTask) momentum(u []float32, m *Matrix) (norm float64) {
	isa, o := t.isa, &t.step
	keep := float32(1 - float64(m.LR)*float64(m.WeightDecay))
	for i := range m.Rows {
		at := i * m.Stride
		mean, grad, row := m.M[at:][:m.Cols], m.Grad[at:][:m.Cols], u[i*m.Cols:][:m.Cols]
		isa.scale(mean, o.Momentum)
		isa.combine(mean, t.rest[:], grad, m.Cols)
		copy(row, mean)
		isa.scale(row, o.Momentum)
		isa.combine(row, t.rest[:], grad, m.Cols)
		norm += isa.sumSquares(row)
		isa.scale(m.Param[at:][:m.Cols], keep)
	}
	return max(math.Sqrt(norm), muonFloor)
}

// muonOnce is the coefficient of G.
var muonOnce = []float32{muonB}

// newtonSchulz is Newton and Schulz's iteration on symmetric [n,n] matrices.
type newtonSchulz struct {
	isa           *instructionSet
	n             int
	gram, product []float32 // G and Q
	p, h, next    []float32
	scratch       []float32
}

// iterate computes Q, the product of the polynomials of all iterations.
func (s *newtonSchulz) iterate() {
	isa, n := s.isa, s.n
	for i := range muonIterations {
		s.commuting(s.p, s.gram, s.gram)
		isa.scale(s.p, muonC)
		isa.combine(s.p, muonOnce, s.gram, n*n)
		for j := range n {
			s.p[j*n+j] += muonA
		}
		if i < muonIterations-1 {
			s.commuting(s.h, s.p, s.gram)
			s.commuting(s.gram, s.h, s.p)
		}
		if i == 0 {
			s.product, s.p = s.p, s.product
			continue
		}
		s.commuting(s.next, s.product, s.p)
		s.product, s.next = s.next, s.product
	}
}

// commuting computes C = A·B of symmetric matrices that commute, so that C is symmetric.
func (s *newtonSchulz) commuting(c, a, b []float32) {
	panels, _ := s.isa.rowPanels(s.scratch, b, s.n, s.n, s.n)
	s.symmetric(c, s.n, a, s.n, 1, panels)
}

// symmetric computes C[n,n] = A[n,k]·B where that is symmetric: the blocks on and above the
// diagonal. What is below them is copied.
func (s *newtonSchulz) symmetric(c []float32, k int, a []float32, aRow, aStep int, b panels) {
	n, block := s.n, padded(32, b.width)
	for i := 0; i < n; i += block {
		s.isa.multiply(min(block, n-i), n-i, k, a[i*aRow:], aRow, aStep, b.panel(i/b.width), c[i*n+i:], n, false)
		for j := i; j < min(i+block, n); j++ {
			for r := i + block; r < n; r++ {
				c[r*n+j] = c[j*n+r]
			}
		}
	}
}
