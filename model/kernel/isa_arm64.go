//go:build !purego

package kernel

const neonLanes = 4

// neon multiplies matrices in assembly, which is where portable Go takes nearly all of its
// time; everything else is portable. Its geometry is that of 32 registers; depth is not
// measured.
var neon = func() instructionSet {
	isa := portable
	isa.name = "neon"
	isa.lanes, isa.panel, isa.rows, isa.depth, isa.strided = neonLanes, 4, [5]int{1: 6, 2: 6, 3: 6, 4: 6}, 512, true
	isa.tiles, isa.fma = tilesNEON, fmaNEON
	return isa
}()

// assembly returns the instruction sets that this machine can run: every arm64 has NEON.
func assembly() []*instructionSet { return []*instructionSet{&neon} }
