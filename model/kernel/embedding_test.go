package kernel

import "testing"

func TestEmbedding(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, d := range []int{1, 3, 16, 130, 1000} {
			const rows, vocab, context = 70, 9, 16
			r := newRand(uint64(d))
			table, positions, dy := random(r, vocab*d, 0), random(r, context*d, 0), random(r, rows*d, 0)
			ids := make([]int32, rows)
			for i := range ids {
				ids[i] = int32(r.IntN(vocab))
			}
			y := random(r, rows*d, 1)
			want, wantTable, wantPositions := make([]float64, rows*d), widen(table), widen(positions)
			for i := range want {
				row, j := i/d, i%d
				want[i] = float64(table[int(ids[row])*d+j])
				wantTable[int(ids[row])*d+j] += float64(dy[i])
				wantPositions[row%context*d+j] += float64(dy[i])
			}
			Embedding(y, table, ids, d)
			near(t, "embedding", y, want, 0)
			for i := range want {
				want[i] += float64(positions[i/d%context*d+i%d])
			}
			EmbeddingAdd(y, positions, rows, context, d)
			near(t, "with positions", y, want, 1e-6)
			for i := range want {
				want[i] += float64(table[int(ids[i/d])*d+i%d])
			}
			EmbeddingPlus(y, table, ids, d)
			near(t, "with types", y, want, 1e-6)
			EmbeddingGrad(table, dy, ids, d)
			near(t, "gradient of the table", table, wantTable, 1e-5)
			PositionGrad(positions, dy, rows, context, d)
			near(t, "gradient of the positions", positions, wantPositions, 1e-5)
			unharmed(t, y, table, positions)
			sameBits(t, func() []float32 {
				g := clone(table)
				EmbeddingGrad(g, dy, ids, d)
				PositionGrad(g, dy, rows, vocab, d)
				return g
			})
		}
	})
}

// A step may be shorter than the table of positions, and than the context.
func TestEmbeddingAddShort(t *testing.T) {
	y := []float32{1, 2}
	EmbeddingAdd(y, []float32{10, 20}, 1, 8, 2)
	near(t, "y", y, []float64{11, 22}, 0)
}
