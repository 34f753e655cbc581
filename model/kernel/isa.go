package kernel

// An instructionSet is one implementation of the innermost loops: portable Go, or the assembly
// of an instruction set. Everything else in this package (blocking, threads, edges, masks) is
// common to all of them.
type instructionSet struct {
	name string

	// Geometry of the matrix product's micro-kernel: a panel of a matrix B has up to panel
	// vectors of lanes columns; a tile of C that is v vectors wide has up to rows[v] rows.
	lanes   int
	panel   int
	rows    [5]int
	fewRows int // most rows that combineRows and dotsRows take
	depth   int // most steps along k between two visits to a tile
	// strided: the micro-kernel reads A in place about as fast as from a packed panel.
	strided bool

	// The functions are described at their portable versions: tiles at tilesGo, and so on.
	tiles       func(k int, a []float32, aRow, aStep, aNext int, b []float32, bStep, bNext int, bias, add []float32, ldAdd int, c []float32, ldc, m, n, tiles, panels int)
	packRows    func(dst []float32, ldd, next int, src []float32, lds, k, w, panels int)
	packColumns func(dst []float32, ldd int, src []float32, lds, k, w int)
	dot         func(x, y []float32) float32
	dots        func(sums, x, y []float32, ldy int)
	combine     func(y, coef, x []float32, ldx int)
	columnSums  func(sum, x []float32, ldx, rows int)
	combineRows func(y []float32, ldy, rows, n int, a []float32, lda int, x []float32, ldx, steps int)
	dotsRows    func(c []float32, ldc, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int)

	dotsBFloat16, dotsInt8     packedDots
	unpackBFloat16, unpackInt8 func(x []float32, w []uint32)

	add           func(y, a, b []float32)
	scale         func(x []float32, s float32)
	sumSquares    func(x []float32) float64
	finite        func(x []float32) bool
	read          func(x []float32)
	max           func(x []float32) float32
	exp           func(y, x []float32, scale, shift float32) (sum float32)
	softmax       func(x []float32, s scoreBlock, scale float32, lse []float32)
	weights       func(x []float32, s scoreBlock, scale float32, lse []float32)
	scoreGrad     func(dp, p []float32, s scoreBlock, scale float32)
	gelu          func(y, x []float32, rows, n, ld int)
	geluGrad      func(dy, x []float32, rows, n, ld int)
	normalize     func(y, x, gain, bias, mean, rstd []float32, eps float32)
	normalizeGrad func(dx, dy, x, gain, mean, rstd []float32, accumulate bool)
	affineGrad    func(dgain, dbias, dy, x []float32, ld int, mean, rstd []float32)
	dropout       func(y, x []float32, counter uint32, m mask)
	adamw         func(param, grad, m, v []float32, c *adamwConstants)
	sigmoidRows   func(x, weights []float32, n int)
	studentForces func(p, x, y []float32, px, py float32) (sums [5]float32)
	gatherRows    func(to, table []float32, rows []int32, stride int)
	addSteps      func(row, steps []float32, list []int32, stride int, later []float32)
	sumWindows    func(sums, rows []float32, from, to []int32, first int, shares []float32, stride int)
	addWindows    func(x, rows []float32, from, to []int32, first int, shares []float32, stride int)
	dotWindows    func(x, rows []float32, from, to []int32, first int, dots []float32, stride int)
	mixWindows    func(sums, rows []float32, from, to []int32, first int, weights []float32, stride int)
	stepWindows   func(x, rows []float32, from, to []int32, first int, weights []float32, stride int)
	dotPairs      func(dots, x, y []float32, stride int)
	stepPairs     func(dx, dy, x, y, g []float32, stride int)
	gloveStep     func(w, x, rates []float32, f, log float32, nextW, nextX []float32) (diff float32)
	fma           func(rounds int)
}

// portable is written in Go: the specification, and what runs where there is no assembly.
var portable = instructionSet{
	name:  "portable",
	lanes: 4, panel: 1, rows: [5]int{1: 2}, fewRows: 2, depth: 256,

	tiles: tilesGo, packRows: packRowsGo, packColumns: packColumnsGo, dot: dotGo, dots: dotsGo, combine: combineGo, columnSums: columnSumsGo,
	combineRows: combineRowsGo, dotsRows: dotsRowsGo,
	dotsBFloat16: dotsBFloat16Go, dotsInt8: dotsInt8Go, unpackBFloat16: unpackBFloat16Go, unpackInt8: unpackInt8Go,
	add: addGo, scale: scaleGo, sumSquares: sumSquaresGo, finite: finiteGo, read: readGo,
	max: maxGo, exp: expGo,
	softmax: softmaxGo, weights: weightsGo, scoreGrad: scoreGradGo,
	gelu: geluGo, geluGrad: geluGradGo,
	normalize: normalizeGo, normalizeGrad: normalizeGradGo, affineGrad: affineGradGo,
	dropout: dropoutGo, adamw: adamwGo,
	sigmoidRows: sigmoidRowsGo, studentForces: studentForcesGo, gloveStep: gloveStepGo, gatherRows: gatherRowsGo, addSteps: addStepsGo,
	dotWindows: dotWindowsGo, mixWindows: mixWindowsGo, stepWindows: stepWindowsGo,
	sumWindows: sumWindowsGo, addWindows: addWindowsGo, dotPairs: dotPairsGo, stepPairs: stepPairsGo,
	fma: fmaGo,
}

// instructionSets are those that this machine can run, slowest first.
var instructionSets = append([]*instructionSet{&portable}, assembly()...)

// active is the instruction set in use.
var active = instructionSets[len(instructionSets)-1]

// InstructionSets names those that this machine can run, slowest first.
func InstructionSets() (names []string) {
	for _, s := range instructionSets {
		names = append(names, s.name)
	}
	return names
}

// SetInstructionSet makes one of InstructionSets the one in use. Call it before anything is
// computed: packed weights and other memory are laid out for one instruction set.
func SetInstructionSet(name string) {
	for _, s := range instructionSets {
		if s.name == name {
			active = s
			return
		}
	}
	panic("kernel: SetInstructionSet: this machine has no " + name)
}

// InstructionSet names the instruction set in use: "portable", "neon", "avx2" or "avx512".
func InstructionSet() string { return active.name }
