package kernel

import (
	"fmt"
	"math"
	"testing"
)

// drawCells makes blocks that share neither rows nor columns, of a matrix of that many
// words, and a table for them: d dimensions, the bias, and the constant 1.
func drawCells(seed uint64, words, d int) (t AdaGradTable, rates []float32, blocks []Cells) {
	r := newRand(seed)
	t = NewAdaGradTable(2*words, d+2)
	for i := range 2 * words {
		row := t.Row(i)
		for j := range row {
			row[j] = float32(r.NormFloat64()) / 2
		}
		constant := d + 1
		if i >= words {
			constant = d
		}
		row[constant], t.Squares(i)[constant] = 1, float32(math.Inf(1))
	}
	rates = make([]float32, t.Stride)
	for j := range d {
		rates[j] = 0.05
	}
	rates[d], rates[d+1] = 1, 1
	const step = 3
	for b := range step {
		c := Cells{Row: b, Column: (b + 1) % step, Step: step, Words: words}
		for range 50 {
			c.List = append(c.List, Cell{uint16(r.IntN(words / step)), uint16(r.IntN(words / step)), r.Float32(), float32(r.NormFloat64())})
		}
		blocks = append(blocks, c)
	}
	return t, rates, blocks
}

// Steps are those of the authors' algorithm, written with biases of their own in float64.
func TestGloVe(t *testing.T) {
	for _, d := range []int{1, 14, 15, 50, 100} {
		eachInstructionSet(t, func(t *testing.T) {
			const words = 12
			table, rates, blocks := drawCells(uint64(d), words, d)
			type side struct{ x, squares [2 * words][]float64 }
			var v side
			for i := range 2 * words {
				v.x[i], v.squares[i] = widen(table.Row(i)), widen(table.Squares(i))
			}
			cost := 0.0
			for _, b := range blocks {
				for _, c := range b.List {
					i, j := b.Row+b.Step*int(c.I), words+b.Column+b.Step*int(c.J)
					w, x, gw, gx := v.x[i], v.x[j], v.squares[i], v.squares[j]
					diff := w[d] + x[d+1] - float64(c.Log)
					for k := range d {
						diff += w[k] * x[k]
					}
					cost += 0.5 * float64(c.F) * diff * diff
					g := float64(c.F) * diff
					move := func(p, squares *float64, s float64) {
						*p -= s / math.Sqrt(*squares)
						*squares += s * s
					}
					for k := range d {
						sw, sx := 0.05*g*x[k], 0.05*g*w[k]
						move(&w[k], &gw[k], sw)
						move(&x[k], &gx[k], sx)
					}
					move(&w[d], &gw[d], g)
					move(&x[d+1], &gx[d+1], g)
				}
			}
			before := GloVeCost(table, blocks[:1])
			sameBits(t, func() []float32 {
				copied := table
				copied.Data = clone(table.Data)
				if got := GloVeCost(copied, blocks[:1]); got != before {
					t.Errorf("the cost without steps is %v, then %v", before, got)
				}
				if got := GloVe(copied, rates, blocks); math.Abs(got-cost) > 1e-4*cost {
					t.Errorf("d=%d: cost %v, want %v", d, got, cost)
				}
				for i := range 2 * words {
					near(t, fmt.Sprintf("d=%d row %d", d, i), copied.Row(i), v.x[i], 1e-4)
					for j, want := range v.squares[i] {
						if got := float64(copied.Squares(i)[j]); got != want && math.Abs(got-want) > 1e-4*want {
							t.Fatalf("d=%d: sum of squares %d of row %d is %v, want %v", d, j, i, got, want)
						}
					}
				}
				unharmed(t, copied.Data)
				return copied.Data
			})
		})
	}
}
