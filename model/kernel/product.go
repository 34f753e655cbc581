package kernel

// Product is C[m,n] = Add[m,n] + Bias[n] + op(A)[m,k]·op(B)[k,n], with what else can
// be done with C while a part of it is in cache. Operands are as in Gemm.
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

func (p Product) task() gemmTask {
	const f = "Product"
	checkGemm(f, p.M, p.N, p.K, p.A, p.B, p.C)
	size := p.M * p.N
	t := gemmTask{level: best, transA: p.TransA, transB: p.TransB, m: p.M, n: p.N, k: p.K, alpha: 1, a: p.A, b: p.B, c: p.C, bias: p.Bias, add: p.Add, columnSums: p.ColumnSums}
	if p.Bias != nil {
		need(f, "Bias", len(p.Bias), p.N)
	}
	if p.Add != nil {
		need(f, "Add", len(p.Add), size)
	}
	if p.ColumnSums != nil {
		need(f, "ColumnSums", len(p.ColumnSums), p.N)
	}
	switch {
	case p.GELU != nil:
		need(f, "GELU", len(p.GELU), size)
		t.finish, t.other = applyGELU, p.GELU
	case p.GELUGrad != nil:
		need(f, "GELUGrad", len(p.GELUGrad), size)
		t.finish, t.other = timesGELUGrad, p.GELUGrad
	}
	return t
}
