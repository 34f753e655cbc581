//go:build !purego

package kernel

const neonLanes = 4

// neon multiplies matrices in assembly, which is where portable Go takes nearly all of its
// time; all else is that. Its geometry is that of 32 registers; depth is not measured.
var neon = func() level {
	l := portable
	l.name = "neon"
	l.lanes, l.panel, l.rows, l.depth, l.strided = neonLanes, 4, [5]int{1: 6, 2: 6, 3: 6, 4: 6}, 512, true
	l.tiles, l.fma = tilesNEON, fmaNEON
	return l
}()

// assembly returns the levels written in assembly that this machine can run: every arm64
// has NEON.
func assembly() []*level { return []*level{&neon} }
