//go:build !purego

package kernel

// tilesByNEON are micro-kernels by the vectors and the rows of their tile.
var tilesByNEON = [5][7]func(k int, a *float32, aRow, aStep int, b *float32, bStep int, bias, add *float32, ldAdd int, c *float32, ldc, last int){
	1: {nil, tile1x1NEON, tile2x1NEON, tile3x1NEON, tile4x1NEON, tile5x1NEON, tile6x1NEON},
	2: {nil, tile1x2NEON, tile2x2NEON, tile3x2NEON, tile4x2NEON, tile5x2NEON, tile6x2NEON},
	3: {nil, tile1x3NEON, tile2x3NEON, tile3x3NEON, tile4x3NEON, tile5x3NEON, tile6x3NEON},
	4: {nil, tile1x4NEON, tile2x4NEON, tile3x4NEON, tile4x4NEON, tile5x4NEON, tile6x4NEON},
}

// tilesNEON proves the bounds that assembly doesn't check.
func tilesNEON(k int, a []float32, aRow, aStep, aNext int, b []float32, bStep, bNext int, bias, add []float32, ldAdd int, c []float32, ldc, m, n, tiles, panels int) {
	vectors := blocks(n, neonLanes)
	kernel, last := tilesByNEON[vectors][m], n-(vectors-1)*neonLanes
	for p := range panels {
		var pa, pb, pbias, padd *float32
		column := p * n
		if bias != nil {
			_ = bias[column+vectors*neonLanes-1]
			pbias = &bias[column]
		}
		if k > 0 {
			_ = b[p*bNext+(k-1)*bStep+vectors*neonLanes-1]
			pb = &b[p*bNext]
		}
		for t := range tiles {
			if k > 0 {
				_ = a[t*aNext+(m-1)*aRow+(k-1)*aStep]
				pa = &a[t*aNext]
			}
			row := t * m
			if add != nil {
				_ = add[(row+m-1)*ldAdd+column+n-1]
				padd = &add[row*ldAdd+column]
			}
			_ = c[(row+m-1)*ldc+column+n-1]
			kernel(k, pa, aRow, aStep, pb, bStep, pbias, padd, ldAdd, &c[row*ldc+column], ldc, last)
		}
	}
}
