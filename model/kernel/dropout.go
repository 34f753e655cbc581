package kernel

import "math"

// Dropout zeroes elements at random, each with probability P, and scales the
// rest by 1/(1−P) (Srivastava et al., "Dropout", 2014, in its inverted form).
// P = 0 turns it off.
//
// Nothing is stored: whether element i is kept is a hash of (Seed, i), so the
// backward pass draws the same mask again, as do other numbers of threads and other
// instruction sets. The hash is a 32-bit integer mixer of two multiplications and three
// shifts, applied to the low half of i, with a key that splitmix64 makes of Seed and the
// high half.
type Dropout struct {
	P    float32 // 0 ≤ P < 1
	Seed uint64
}

// Apply computes y = mask(x) over len(x) elements. y may be x. The backward
// pass is Apply on the gradient.
func (d Dropout) Apply(y, x []float32) {
	need("Dropout.Apply", "y", len(y), len(x))
	d.check()
	if d.P == 0 {
		copy(y, x)
		return
	}
	run(&dropoutSlot, dropoutTask{active, d, y, x}, blocks(len(x), dropoutBlock))
}

func (d Dropout) check() {
	if !(d.P >= 0 && d.P < 1) {
		panic("kernel: Dropout: P must be at least 0 and less than 1")
	}
}

const dropoutBlock = 16 << 10

type dropoutTask struct {
	isa     *instructionSet
	dropout Dropout
	y, x    []float32
}

var dropoutSlot dropoutTask

func (t *dropoutTask) piece(_ *worker, i int) {
	from, to := block(i, dropoutBlock, len(t.x))
	t.dropout.apply(t.isa, t.y[from:to], t.x[from:to], uint64(from))
}

// mask has the constants that decide over elements whose indices share their high half: i is
// kept if hash(low half of i) ≥ threshold.
type mask struct {
	key0, key1, threshold uint32
	scale                 float32
}

// apply is Apply for elements first, first+1, …
func (d Dropout) apply(isa *instructionSet, y, x []float32, first uint64) {
	m := mask{threshold: uint32(math.Round(float64(d.P) * (1 << 32))), scale: 1 / (1 - d.P)}
	for len(x) > 0 {
		n := int(min(uint64(len(x)), 1<<32-first&math.MaxUint32))
		key := splitmix64(d.Seed + splitmix64(first>>32))
		m.key0, m.key1 = uint32(key), uint32(key>>32)
		isa.dropout(y[:n], x[:n], uint32(first), m)
		y, x, first = y[n:], x[n:], first+uint64(n)
	}
}

// splitmix64 is the output function of Steele, Lea and Flood, "Fast Splittable
// Pseudorandom Number Generators" (2014), figure 13 (variant 13 of Stafford).
func splitmix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hash mixes a counter; the constants are those of Wellons, "Prospecting for
// Hash Functions" (2018), there called lowbias32.
func (m mask) hash(i uint32) uint32 {
	i ^= m.key0
	i ^= i >> 16
	i *= 0x7feb352d
	i += m.key1
	i ^= i >> 15
	i *= 0x846ca68b
	i ^= i >> 16
	return i
}

func dropoutGo(y, x []float32, counter uint32, m mask) {
	y = y[:len(x)]
	for i, v := range x {
		if m.hash(counter+uint32(i)) >= m.threshold {
			y[i] = v * m.scale
		} else {
			y[i] = 0
		}
	}
}
