package corpus

import (
	"math"
	"slices"
)

// Random is a stream of random numbers: SplitMix64 (Steele, Lea and Flood 2014, "Fast
// Splittable Pseudorandom Number Generators").
type Random struct{ state uint64 }

// NewRandom returns a stream for a seed and a place, which is any list of numbers: the same
// ones give the same stream.
func NewRandom(seed uint64, place ...uint64) Random {
	s := mix(seed + golden)
	for _, p := range place {
		s = mix(s ^ mix(p+golden))
	}
	return Random{s}
}

const golden = 0x9e3779b97f4a7c15

func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Next returns 64 random bits.
func (r *Random) Next() uint64 {
	r.state += golden
	return mix(r.state)
}

// Below returns a number from 0 to n−1, n < 2³².
func (r *Random) Below(n int) int { return int(r.Next() >> 32 * uint64(n) >> 32) }

// Float returns a number in [0, 1) with 24 bits.
func (r *Random) Float() float32 { return float32(r.Next()>>40) / (1 << 24) }

// Noise draws words in proportion to f^power by Walker's alias method: one random number
// and one look into a table of 8 bytes a word.
type Noise struct {
	entries []alias
}

// alias is an entry of the table: the word itself with probability keep/2³², else other.
type alias struct {
	keep  uint32
	other int32
}

// NewNoise returns the noise distribution P(w) = f(w)^power / Σ f^power. Mikolov et al.
// 2013 ("Distributed Representations", section 2.2) take 3/4.
func NewNoise(counts []int64, power float64) *Noise {
	w := Probabilities(counts, power)
	n := len(w)
	a := &Noise{make([]alias, n)}
	var small, large []int
	for i := range w {
		w[i] *= float64(n)
		if w[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, g := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a.entries[s] = alias{threshold(w[s]), int32(g)}
		if w[g] -= 1 - w[s]; w[g] < 1 {
			large = large[:len(large)-1]
			small = append(small, g)
		}
	}
	for _, i := range append(small, large...) { // 1 but for rounding
		a.entries[i] = alias{math.MaxUint32, int32(i)}
	}
	return a
}

// Probabilities returns f^power / Σ f^power for each word.
func Probabilities(counts []int64, power float64) []float64 {
	p := make([]float64, len(counts))
	sum := 0.0
	for i, c := range counts {
		p[i] = math.Pow(float64(c), power)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// Draw returns the word that 64 random bits choose.
func (n *Noise) Draw(bits uint64) int32 {
	i := bits >> 32 * uint64(len(n.entries)) >> 32
	if e := n.entries[i]; uint32(bits) > e.keep {
		return e.other
	}
	return int32(i)
}

// threshold returns p·2³², which 32 random bits are compared with; MaxUint32 if p is 1.
func threshold(p float64) uint32 {
	if p >= 1 {
		return math.MaxUint32
	}
	return uint32(p * (1 << 32))
}

// Subsampling keeps each occurrence of a word of relative frequency f with probability
// √(t/f) + t/f, or 1 if that is more: the formula of word2vec.c, a variant of equation 5
// of Mikolov et al. 2013.
type Subsampling struct {
	// keep[word+1] is what 32 random bits must not exceed for the word to be kept: never for
	// LineEnd, always for a word that is kept without a draw.
	keep []int64
}

const (
	never  = -1
	always = 1 << 32
)

// NewSubsampling returns the subsampling of a vocabulary with threshold t; 0 keeps all.
func NewSubsampling(v *Vocabulary, t float64) *Subsampling {
	s := &Subsampling{make([]int64, 1+len(v.Counts))}
	s.keep[0] = never
	for i := range v.Counts {
		s.keep[1+i] = int64(threshold(Keep(v, i, t)))
		if s.keep[1+i] == math.MaxUint32 {
			s.keep[1+i] = always
		}
	}
	return s
}

// Keep returns the probability that an occurrence of a word is kept, with threshold t.
func Keep(v *Vocabulary, word int, t float64) float64 {
	if t <= 0 {
		return 1
	}
	f := float64(v.Counts[word]) / float64(v.Total)
	return min(1, math.Sqrt(t/f)+t/f)
}

// ExpectedKept returns the expected number of tokens that subsampling with threshold t leaves,
// and the share of the most frequent word among them, 0 to 1.
func (v *Vocabulary) ExpectedKept(t float64) (kept, largest float64) {
	for i, n := range v.Counts {
		k := float64(n) * Keep(v, i, t)
		kept += k
		largest = max(largest, k)
	}
	return kept, largest / kept
}

// Sample appends to ids the words of tokens that are kept, and to lines the number of the line
// of each, counted from 0.
func (s *Subsampling) Sample(ids, lines, tokens []int32, r *Random) (_, _ []int32) {
	n := len(ids)
	ids, lines = slices.Grow(ids, len(tokens))[:n+len(tokens)], slices.Grow(lines, len(tokens))[:n+len(tokens)]
	line := int32(0)
	for _, t := range tokens { // without branches, which a processor couldn't predict
		keep := s.keep[t+1]
		drawn := (uint64(keep)>>32 - 1) >> 63 // 1 if it takes a draw
		r.state += golden * drawn
		ids[n], lines[n] = t, line
		n += int(uint64(int64(mix(r.state)>>32)-keep-1) >> 63) // 1 if it is kept
		line -= t >> 31                                        // LineEnd is −1
	}
	return ids[:n], lines[:n]
}
