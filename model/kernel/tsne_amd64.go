//go:build !purego

package kernel

func studentForcesLanes8(p, x, y []float32, px, py float32) [5]float32 {
	return studentForcesBy(studentForcesAVX2, p, x, y, px, py)
}

func studentForcesLanes16(p, x, y []float32, px, py float32) [5]float32 {
	return studentForcesBy(studentForcesAVX512, p, x, y, px, py)
}

// studentForcesBy proves the bounds that assembly doesn't check.
func studentForcesBy(forces func(sums *float32, p, x, y []float32, px, py float32), p, x, y []float32, px, py float32) (sums [5]float32) {
	forces(&sums[0], p, x[:len(p)], y[:len(p)], px, py)
	return sums
}
