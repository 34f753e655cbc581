package kernel

// Product is C[m,n] = Add[m,n] + Bias[n] + op(A)[m,k]·op(B)[k,n], with what else can
// be done with C while a part of it is in cache. op(A) is A[m,k], or the transpose of
// A[k,m] with TransA; op(B) is B[k,n], or the transpose of B[n,k] with TransB.
type Product struct {
	TransA, TransB bool
	M, N, K        int
	A, B, C        []float32
	Bias           []float32 // nil: 0
	Add            []float32 // nil: 0; may be C
	// GELU, unless nil, is set to GELU(C): [m,n].
	GELU []float32
	// GELUGrad, unless nil, is what GELU was taken of: C is multiplied by GELU'(GELUGrad)
	// in the end, and GELUGrad set to GELU(GELUGrad): [m,n].
	GELUGrad []float32
	// ColumnSums, unless nil, gets the sums of op(B)'s columns added: [n]. Where C is the
	// gradient of a weight they are its bias' gradient.
	ColumnSums []float32
}

// MostPacked is the most bytes of operands that are copied for products computed together:
// they stay allocated.
const MostPacked = 4 * mostTogether * (blockFloats + chunkFloats)

// Compute computes C.
func (p Product) Compute() { Compute(p) }

// Compute computes products none of which needs another's result, each with the bits that
// it has by itself. That takes less time than one after another: threads wait for each
// other once rather than after each.
func Compute(ps ...Product) {
	var together [mostTogether]gemmTask
	for len(ps) > 0 {
		n := min(len(ps), mostTogether)
		for i, p := range ps[:n] {
			together[i] = p.task()
		}
		gemms(together[:n])
		ps = ps[n:]
	}
}

// ComputeByRow computes C so that the bits of a row depend on that row of A, and on B and
// Bias, but not on how many rows there are: a decoder's text doesn't change with the texts
// that are written beside it, nor with the pieces in which its prompt is read. With TransB
// and many rows it takes longer than Compute. It takes no ColumnSums.
func (p Product) ComputeByRow() {
	t := p.task()
	if t.columnSums != nil {
		panic("kernel: ComputeByRow: ColumnSums are sums over rows")
	}
	t.byRow = true
	gemm(t)
}

func (p Product) task() gemmTask {
	const f = "Product"
	size(f, "M", p.M)
	size(f, "N", p.N)
	size(f, "K", p.K)
	elements := p.M * p.N
	need(f, "A", len(p.A), p.M*p.K)
	need(f, "B", len(p.B), p.K*p.N)
	need(f, "C", len(p.C), elements)
	t := gemmTask{level: best, transA: p.TransA, transB: p.TransB, m: p.M, n: p.N, k: p.K, a: p.A, b: p.B, c: p.C, bias: p.Bias, add: p.Add, columnSums: p.ColumnSums}
	if p.Bias != nil {
		need(f, "Bias", len(p.Bias), p.N)
	}
	if p.Add != nil {
		need(f, "Add", len(p.Add), elements)
	}
	if p.ColumnSums != nil {
		need(f, "ColumnSums", len(p.ColumnSums), p.N)
	}
	switch {
	case p.GELU != nil:
		need(f, "GELU", len(p.GELU), elements)
		t.finish, t.other = applyGELU, p.GELU
	case p.GELUGrad != nil:
		need(f, "GELUGrad", len(p.GELUGrad), elements)
		t.finish, t.other = timesGELUGrad, p.GELUGrad
	}
	return t
}
