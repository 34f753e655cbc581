//go:build !purego

package kernel

func geluLanes8(y, x []float32, rows, n, ld int)       { onTile(geluAVX2, y, x, rows, n, ld) }
func geluLanes16(y, x []float32, rows, n, ld int)      { onTile(geluAVX512, y, x, rows, n, ld) }
func geluGradLanes8(dy, x []float32, rows, n, ld int)  { onTile(geluGradAVX2, dy, x, rows, n, ld) }
func geluGradLanes16(dy, x []float32, rows, n, ld int) { onTile(geluGradAVX512, dy, x, rows, n, ld) }

// onTile checks the bounds that assembly doesn't check, and calls it.
func onTile(f func(y, x *float32, rows, n, ld int), y, x []float32, rows, n, ld int) {
	if rows == 0 || n == 0 {
		return
	}
	_, _ = y[(rows-1)*ld+n-1], x[(rows-1)*ld+n-1]
	f(&y[0], &x[0], rows, n, ld)
}
