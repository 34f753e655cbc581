package kernel

import (
	"math"

	"tinygpt/model/half"
)

// Columns and words of a block.
const (
	bfloat16Columns, bfloat16Words = 32, 16
	int8Columns, int8Words         = 64, 17
)

// packBFloat16 packs 32 columns: word i has column i in its low half and column 16+i in
// its high one, so that a shift and a mask unpack them.
func packBFloat16(w []uint32, x []float32) {
	for i := range w {
		w[i] = uint32(half.ToBfloat16(x[i])) | uint32(half.ToBfloat16(x[16+i]))<<16
	}
}

func unpackBFloat16Go(x []float32, w []uint32) {
	for len(w) > 0 {
		for i, v := range w[:bfloat16Words] {
			x[i] = math.Float32frombits(v << 16)
			x[16+i] = math.Float32frombits(v &^ 0xffff)
		}
		x, w = x[bfloat16Columns:], w[bfloat16Words:]
	}
}

// packInt8 packs 64 columns: the first word is the scale, a float32; each other word has four
// columns, the first in its lowest byte. The scale is the smallest with which all columns fit,
// so the largest of them becomes 127 or −127.
func packInt8(w []uint32, x []float32) {
	largest := float32(0)
	for _, v := range x {
		largest = max(largest, v, -v) // NaN too
	}
	scale := largest / 127
	w[0] = math.Float32bits(scale)
	clear(w[1:])
	if !(scale > 0) || math.IsInf(float64(scale), 1) {
		return // only zeros; with NaN or infinity the scale makes all columns NaN
	}
	for i, v := range x {
		q := int8(math.RoundToEven(float64(v) / float64(scale)))
		w[1+i/4] |= uint32(uint8(q)) << (8 * (i % 4))
	}
}

func unpackInt8Go(x []float32, w []uint32) {
	for len(w) > 0 {
		scale := math.Float32frombits(w[0])
		for i, v := range w[1:int8Words] {
			x[4*i] = float32(int8(v)) * scale
			x[4*i+1] = float32(int8(v>>8)) * scale
			x[4*i+2] = float32(int8(v>>16)) * scale
			x[4*i+3] = float32(int8(v>>24)) * scale
		}
		x, w = x[int8Columns:], w[int8Words:]
	}
}

func dotsBFloat16Go(c []float32, ldc, rows int, a []float32, lda int, w []uint32, blocks, far, steps int) {
	packedDotsGo(unpackBFloat16Go, bfloat16Columns, bfloat16Words, c, ldc, rows, a, lda, w, blocks, far, steps)
}

func dotsInt8Go(c []float32, ldc, rows int, a []float32, lda int, w []uint32, blocks, far, steps int) {
	packedDotsGo(unpackInt8Go, int8Columns, int8Words, c, ldc, rows, a, lda, w, blocks, far, steps)
}

// packedDotsGo is a packedDots for any packing with blocks of up to int8Columns columns and
// for up to two rows. It sums in the order of dotGo.
func packedDotsGo(unpack func(x []float32, w []uint32), columns, words int, c []float32, ldc, rows int, a []float32, lda int, w []uint32, blocks, far, steps int) {
	var x [int8Columns]float32
	for t := range steps {
		for s := range streams {
			row := w[(s*far+t)*blocks*words:]
			var sums [2][4]float32
			for b := range blocks {
				unpack(x[:columns], row[b*words:(b+1)*words])
				for r := range rows {
					sum, y := &sums[r], a[r*lda+b*columns:][:columns]
					for i := 0; i < columns; i += 4 {
						sum[0] += x[i] * y[i]
						sum[1] += x[i+1] * y[i+1]
						sum[2] += x[i+2] * y[i+2]
						sum[3] += x[i+3] * y[i+3]
					}
				}
			}
			for r := range rows {
				sum := &sums[r]
				c[r*ldc+s*far+t] += (sum[0] + sum[1]) + (sum[2] + sum[3])
			}
		}
	}
}
