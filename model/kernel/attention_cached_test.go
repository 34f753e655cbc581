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

// Rows that come in pieces give what attention over the whole sequence gives.
func TestCachedAttention(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
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
				sequences[i] = CachedRows{Keys: random(r, k.capacity*D, 1), Values: random(r, k.capacity*D, 0), Capacity: k.capacity}
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

// A row gets the same bits alone as with other sequences, whatever the pieces in which its
// sequence comes, and with any number of threads.
func TestCachedAttentionSameBits(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, shape := range [][2]int{{3, 24}, {1, 7}, {5, 32}} {
			heads, d := shape[0], shape[1]
			const n, capacity = 290, 300
			r := newRand(8)
			D := heads * d
			qkv := random(r, n*3*D, 0)
			read := func(capacity int, pieces ...int) []float32 {
				c := CachedRows{Keys: random(r, capacity*D, 0), Values: random(r, capacity*D, 0), Capacity: capacity}
				out := make([]float32, n*D)
				for _, rows := range pieces {
					c.Past, c.Rows = c.Past+c.Rows, rows
					CachedAttention(out[c.Past*D:], qkv[c.Past*3*D:], []CachedRows{c}, heads, d)
				}
				return out
			}
			var whole []float32
			sameBits(t, func() []float32 {
				whole = read(capacity, n)
				return whole
			})
			ones := make([]int, n)
			for i := range ones {
				ones[i] = 1
			}
			for _, pieces := range [][]int{ones, {1, 289}, {8, 9, 7, 100, 33, 1, 132}, {40, 8, 242}, {130, 5, 5, 150}} {
				if got := read(n, pieces...); !slices.Equal(got, whole) {
					t.Errorf("%d heads of %d: other bits in %d pieces %v", heads, d, len(pieces), pieces[:min(len(pieces), 8)])
				}
			}
			// Results that nobody reads aren't computed, and the others don't change.
			for _, unread := range []int{1, 200, n - 1, n} {
				c := CachedRows{Keys: random(r, capacity*D, 0), Values: random(r, capacity*D, 0), Capacity: capacity, Rows: n, Unread: unread}
				out := random(r, n*D, 0)
				before := clone(out)
				CachedAttention(out, qkv, []CachedRows{c}, heads, d)
				if !slices.Equal(out[:unread*D], before[:unread*D]) || !slices.Equal(out[unread*D:], whole[unread*D:]) {
					t.Errorf("%d heads of %d: other bits with %d unread rows", heads, d, unread)
				}
			}
			// With others: the last rows of some sequences, and one sequence without rows.
			var all []CachedRows
			var rows, want []float32
			for _, c := range [][2]int{{0, 1}, {60, 1}, {0, 40}, {9, 0}, {250, 40}, {30, 5}} {
				s := CachedRows{Keys: random(r, capacity*D, 0), Values: random(r, capacity*D, 0), Capacity: capacity, Rows: c[0]}
				CachedAttention(make([]float32, c[0]*D), qkv, []CachedRows{s}, heads, d)
				s.Past, s.Rows = c[0], c[1]
				all = append(all, s)
				rows = append(rows, qkv[s.Past*3*D:(s.Past+s.Rows)*3*D]...)
				want = append(want, whole[s.Past*D:(s.Past+s.Rows)*D]...)
			}
			together := make([]float32, len(want))
			CachedAttention(together, rows, all, heads, d)
			if !slices.Equal(together, want) {
				t.Errorf("%d heads of %d: other bits with other sequences", heads, d)
			}
		}
	})
}
