package kernel

// Product is a matrix product C[m,n] = Add[m,n] + Bias[n] + op(A)[m,k]·op(B)[k,n], and what
// else can be done with C while parts of it are in cache. op(A) is A[m,k], or with TransA the
// transpose of A[k,m]; op(B) is B[k,n], or with TransB the transpose of B[n,k].
type Product struct {
	TransA, TransB bool
	M, N, K        int
	A, B, C        []float32
	Bias           []float32 // nil: 0
	Add            []float32 // nil: 0; may be C
	// Activated [m,n], unless nil, is set to the Activation of C.
	Activated []float32
	// ActivationInput [m,n], unless nil, is the input of an Activation a whose output's gradient
	// C is: C is multiplied by a'(ActivationInput), and then ActivationInput is set to
	// a(ActivationInput).
	ActivationInput []float32
	// Activation is the function of the two above.
	Activation Activation
	// ColumnSums [n], unless nil, has the sums of op(B)'s columns added. If C is the gradient
	// of a weight, they are the gradient of its bias.
	ColumnSums []float32
}

// MaxPackedBytes bounds the packing buffers, which are allocated once and kept.
const MaxPackedBytes = 4 * maxTogether * (blockFloats + chunkFloats)

// Compute computes C.
func (p Product) Compute() { Compute(p) }

// Compute computes products none of which needs another's result. Each has the bits that it
// has by itself; together they take less time, since threads wait for each other once rather
// than after each product.
func Compute(ps ...Product) {
	var together [maxTogether]gemmTask
	for len(ps) > 0 {
		n := min(len(ps), maxTogether)
		for i, p := range ps[:n] {
			together[i] = p.task()
		}
		gemms(together[:n])
		ps = ps[n:]
	}
}

// ComputeByRow computes C so that the bits of a row depend on that row of A, on B and on Bias,
// but not on how many rows there are. A decoder's text then depends neither on the texts that
// are written with it nor on the pieces in which its prompt is read. With TransB and many rows
// it takes longer than Compute. ColumnSums must be nil.
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
	t := gemmTask{isa: active, transA: p.TransA, transB: p.TransB, m: p.M, n: p.N, k: p.K, a: p.A, b: p.B, c: p.C, bias: p.Bias, add: p.Add, columnSums: p.ColumnSums}
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
	case p.Activated != nil:
		need(f, "Activated", len(p.Activated), elements)
		t.finish, t.other, t.activation = activate, p.Activated, p.Activation
	case p.ActivationInput != nil:
		need(f, "ActivationInput", len(p.ActivationInput), elements)
		t.finish, t.other, t.activation = timesSlope, p.ActivationInput, p.Activation
	}
	return t
}
