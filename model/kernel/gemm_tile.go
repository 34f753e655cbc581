package kernel

// tilesGo computes m×n tiles of C: tiles of them one below the other, for each of panels panels
// side by side. C[i,j] = add[i·ldAdd + j] + (bias[j] + Σ_s A[i·aRow + s·aStep]·B[s·bStep + j]),
// summed in the order of s. The next tile's A begins aNext floats further on, the next panel's
// B bNext. If there are several panels, n is their width. b and bias are padded to full
// vectors. A nil bias or add is 0; add may be c.
func tilesGo(k int, a []float32, aRow, aStep, aNext int, b []float32, bStep, bNext int, bias, add []float32, ldAdd int, c []float32, ldc, m, n, tiles, panels int) {
	for p := range panels {
		for t := range tiles {
			row, column := t*m, p*n
			tileGo(k, tail(a, t*aNext), aRow, aStep, tail(b, p*bNext), bStep, tail(bias, column), tail(add, row*ldAdd+column), ldAdd, c[row*ldc+column:], ldc, m, n)
		}
	}
}

// tileGo computes one tile of at most 2×4, which fits the registers that the compiler uses.
func tileGo(k int, a []float32, aRow, aStep int, b []float32, bStep int, bias, add []float32, ldAdd int, c []float32, ldc, m, n int) {
	var start [4]float32
	if bias != nil {
		copy(start[:], bias[:n])
	}
	tile := [2][4]float32{start, start}
	from := 0
	if m == 2 && aRow == 1 && aStep == 2 && bStep == 4 {
		from = k &^ 3
		tile = tilePacked(start, a[:2*from], b[:4*from])
	}
	for i := range m {
		row := tile[i]
		for s := from; s < k; s++ {
			x, y := a[i*aRow+s*aStep], (*[4]float32)(b[s*bStep:])
			row[0] += x * y[0]
			row[1] += x * y[1]
			row[2] += x * y[2]
			row[3] += x * y[3]
		}
		for j, v := range row[:n] {
			if add != nil {
				v += add[i*ldAdd+j]
			}
			c[i*ldc+j] = v
		}
	}
}

// tilePacked returns the sums of tileGo for packed panels of A and B and a multiple of 4 steps.
// Four steps at a time halve the time: the compiler moves registers about once a round.
func tilePacked(start [4]float32, a, b []float32) [2][4]float32 {
	c00, c01, c02, c03 := start[0], start[1], start[2], start[3]
	c10, c11, c12, c13 := c00, c01, c02, c03
	for len(a) >= 8 && len(b) >= 16 {
		x, y := (*[8]float32)(a), (*[16]float32)(b)
		x0, x1 := x[0], x[1]
		c00 += x0 * y[0]
		c10 += x1 * y[0]
		c01 += x0 * y[1]
		c11 += x1 * y[1]
		c02 += x0 * y[2]
		c12 += x1 * y[2]
		c03 += x0 * y[3]
		c13 += x1 * y[3]
		x0, x1 = x[2], x[3]
		c00 += x0 * y[4]
		c10 += x1 * y[4]
		c01 += x0 * y[5]
		c11 += x1 * y[5]
		c02 += x0 * y[6]
		c12 += x1 * y[6]
		c03 += x0 * y[7]
		c13 += x1 * y[7]
		x0, x1 = x[4], x[5]
		c00 += x0 * y[8]
		c10 += x1 * y[8]
		c01 += x0 * y[9]
		c11 += x1 * y[9]
		c02 += x0 * y[10]
		c12 += x1 * y[10]
		c03 += x0 * y[11]
		c13 += x1 * y[11]
		x0, x1 = x[6], x[7]
		c00 += x0 * y[12]
		c10 += x1 * y[12]
		c01 += x0 * y[13]
		c11 += x1 * y[13]
		c02 += x0 * y[14]
		c12 += x1 * y[14]
		c03 += x0 * y[15]
		c13 += x1 * y[15]
		a, b = a[8:], b[16:]
	}
	return [2][4]float32{{c00, c01, c02, c03}, {c10, c11, c12, c13}}
}

// packRowsGo copies k rows of src, lds floats apart, to panels of w columns each: dst gets rows
// of ldd floats, padded with zeros, and a panel every next floats.
func packRowsGo(dst []float32, ldd, next int, src []float32, lds, k, w, panels int) {
	for p := range panels {
		for s := range k {
			row := dst[p*next+s*ldd:][:ldd]
			clear(row[copy(row, src[s*lds+p*w:][:w]):])
		}
	}
}

// packColumnsGo packs one panel of the transpose: src has w rows of k floats.
func packColumnsGo(dst []float32, ldd int, src []float32, lds, k, w int) {
	const strip = 16 // steps whose destination stays in cache
	for s0 := 0; s0 < k; s0 += strip {
		s1 := min(s0+strip, k)
		for i := range ldd {
			if i >= w {
				for s := s0; s < s1; s++ {
					dst[s*ldd+i] = 0
				}
				continue
			}
			for s, x := range src[i*lds+s0 : i*lds+s1] {
				dst[(s0+s)*ldd+i] = x
			}
		}
	}
}
