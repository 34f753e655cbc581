//go:build !purego

package kernel

func readLanes8(x []float32) { readBy(readAVX2, 32, x) }

func readLanes16(x []float32) { readBy(readAVX512, 64, x) }

// readBy reads four streams of whole steps in assembly, and the rest in Go.
func readBy(four func(x *float32, step, n int), step int, x []float32) {
	quarter := len(x) / 4 / step * step
	if quarter > 0 {
		four(&x[0], quarter, quarter)
	}
	readGo(x[4*quarter:])
}
