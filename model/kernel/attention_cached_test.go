package kernel

import (
	"fmt"
	"slices"
	"testing"
)

// cachedCase is sequences of tokens that are read in pieces.
type cachedCase struct {
	heads, headDim, capacity int
	pieces                   [][]int // by sequence: how many rows come with each call
}

var cachedCases = []cachedCase{
	{1, 1, 1, [][]int{{1}}},
	{3, 5, 19, [][]int{{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}},
	{2, 32, 60, [][]int{{8, 1, 9, 2, 40}, {1, 0, 17, 1, 33}}},
	{2, 8, 130, [][]int{{40, 1, 64}, {0, 0, 3}, {100, 20, 10}}},
	{4, 64, 300, [][]int{{300, 0}, {7, 35}, {1, 1}}},
	{1, 33, 80, [][]int{{16, 64}, {63, 17}}},
	{3, 20, 33, [][]int{{0, 0}, {33, 0}}},
}

// Rows that come in pieces have to give what attention over the whole sequence
// gives.
func TestCachedAttention(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for n, k := range cachedCases {
			D := k.heads * k.headDim
			r := newRand(uint64(n))
			var want [][]float64
			var whole [][]float32
			sequences := make([]CachedRows, len(k.pieces))
			for i, pieces := range k.pieces {
				total := 0
				for _, p := range pieces {
					total += p
				}
				qkv := random(r, total*3*D, 0)
				out, _ := attentionRef(widen(qkv), AttentionShape{1, total, k.heads, k.headDim}, nil)
				whole, want = append(whole, qkv), append(want, out)
				sequences[i] = CachedRows{random(r, k.capacity*D, 1), random(r, k.capacity*D, 0), k.capacity, 0, 0}
			}
			for call := range k.pieces[0] {
				var qkv []float32
				var expected []float64
				for i := range sequences {
					s := &sequences[i]
					s.Past += s.Rows
					s.Rows = k.pieces[i][call]
					qkv = append(qkv, whole[i][s.Past*3*D:(s.Past+s.Rows)*3*D]...)
					expected = append(expected, want[i][s.Past*D:(s.Past+s.Rows)*D]...)
				}
				out := random(r, len(expected), 2)
				CachedAttention(out, qkv, sequences, k.heads, k.headDim)
				near(t, fmt.Sprintf("%+v, call %d: out", k, call), out, expected, 2e-5)
				unharmed(t, out)
				for _, s := range sequences {
					unharmed(t, s.Keys, s.Values)
				}
			}
		}
	})
}

// A sequence gets the same bits alone as beside others, with any number of threads.
func TestCachedAttentionSameBits(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		const heads, d, capacity = 3, 24, 90
		r := newRand(8)
		var all []CachedRows
		rows := 0
		for _, c := range [][2]int{{0, 1}, {60, 1}, {0, 40}, {50, 40}, {30, 5}} {
			all = append(all, CachedRows{random(r, capacity*heads*d, 0), random(r, capacity*heads*d, 0), capacity, c[0], c[1]})
			rows += c[1]
		}
		qkv := random(r, rows*3*heads*d, 0)
		var together []float32
		sameBits(t, func() []float32 {
			together = make([]float32, rows*heads*d)
			CachedAttention(together, qkv, all, heads, d)
			return together
		})
		at := 0
		for i, c := range all {
			alone := make([]float32, c.Rows*heads*d)
			CachedAttention(alone, qkv[at*3*heads*d:], all[i:i+1], heads, d)
			if !slices.Equal(alone, together[at*heads*d:(at+c.Rows)*heads*d]) {
				t.Errorf("sequence %d differs from what it is alone", i)
			}
			at += c.Rows
		}
	})
}
