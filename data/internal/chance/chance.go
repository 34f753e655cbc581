// Package chance makes the random choices of the built-in texts, the same on every platform
// and for ever.
package chance

import (
	"math/bits"
	"math/rand/v2"
)

// Chooser makes every random choice of a text. Its numbers come from PCG-DXSM, whose sequence
// math/rand/v2 fixes; they are scaled here, so that no change in the library's own methods can
// change a corpus.
type Chooser struct{ source *rand.PCG }

// New returns the chooser of one text. Streams with numbers next to each other have states far
// from each other.
func New(seed, stream uint64) Chooser {
	return Chooser{rand.NewPCG(seed, Mix(stream+0x9e3779b97f4a7c15))}
}

// Mix is a bijection of 64 bits in which each bit of the result depends on all of z: the
// finaliser of SplitMix64 (Steele, Lea and Flood 2014).
func Mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Zipf is the weight of what is of that rank (0 is the commonest): like 1/(rank+3), Zipf's law
// with Mandelbrot's shift, so that the rarest of a list still comes often enough to be learnt.
func Zipf(rank int) uint64 { return 1_000_000 / uint64(rank+3) }

// Below returns a number in [0, n), each with probability 1/n to within 2⁻⁶⁴.
func (c Chooser) Below(n uint64) uint64 {
	high, _ := bits.Mul64(c.source.Uint64(), n)
	return high
}
