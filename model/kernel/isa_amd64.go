//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

var avx2 = instructionSet{
	name:  "avx2",
	lanes: 8, panel: 2, rows: [5]int{1: 6, 2: 6}, fewRows: 2, depth: 768, strided: true,

	tiles: tilesLanes8, packRows: packRowsLanes8, packColumns: packColumnsLanes8, dot: dotAVX2, dots: dotsLanes8, combine: combineLanes8, columnSums: columnSumsLanes8,
	combineRows: combineRowsLanes8, dotsRows: dotsRowsLanes8,
	dotsBFloat16: dotsBFloat16Lanes8, dotsInt8: dotsInt8Lanes8, unpackBFloat16: unpackBFloat16Lanes8, unpackInt8: unpackInt8Lanes8,
	add: addAVX2, scale: scaleAVX2, sumSquares: sumSquaresAVX2, finite: finiteAVX2, read: readLanes8,
	max: maxAVX2, exp: expAVX2,
	softmax: softmaxLanes8, weights: weightsLanes8, scoreGrad: scoreGradLanes8,
	gelu: geluLanes8, geluGrad: geluGradLanes8,
	normalize: normalizeLanes8, normalizeGrad: normalizeGradLanes8, affineGrad: affineGradLanes8,
	dropout: func(y, x []float32, counter uint32, m mask) {
		dropoutAVX2(y, x, counter, m.key0, m.key1, m.threshold, m.scale)
	},
	adamw:       func(param, grad, m, v []float32, c *adamwConstants) { adamwAVX2(param, grad, m, v, &c.gradScale) },
	sigmoidRows: sigmoidRowsLanes8, studentForces: studentForcesLanes8, gloveStep: gloveStepLanes8, gatherRows: gatherRowsLanes8, addSteps: addStepsLanes8,
	dotWindows: dotWindowsLanes8, mixWindows: mixWindowsLanes8, stepWindows: stepWindowsLanes8,
	sumWindows: sumWindowsLanes8, addWindows: addWindowsLanes8, dotPairs: dotPairsLanes8, stepPairs: stepPairsLanes8,
	fma: fmaAVX2,
}

var avx512 = instructionSet{
	name:  "avx512",
	lanes: 16, panel: 3, rows: [5]int{1: 14, 2: 14, 3: 9}, fewRows: 4, depth: 384, strided: true,

	tiles: tilesLanes16, packRows: packRowsLanes16, packColumns: packColumnsLanes16, dot: dotAVX512, dots: dotsLanes16, combine: combineLanes16, columnSums: columnSumsLanes16,
	combineRows: combineRowsLanes16, dotsRows: dotsRowsLanes16,
	dotsBFloat16: dotsBFloat16Lanes16, dotsInt8: dotsInt8Lanes16, unpackBFloat16: unpackBFloat16Lanes16, unpackInt8: unpackInt8Lanes16,
	add: addAVX512, scale: scaleAVX512, sumSquares: sumSquaresAVX512, finite: finiteAVX512, read: readLanes16,
	max: maxAVX512, exp: expAVX512,
	softmax: softmaxLanes16, weights: weightsLanes16, scoreGrad: scoreGradLanes16,
	gelu: geluLanes16, geluGrad: geluGradLanes16,
	normalize: normalizeLanes16, normalizeGrad: normalizeGradLanes16, affineGrad: affineGradLanes16,
	dropout: func(y, x []float32, counter uint32, m mask) {
		dropoutAVX512(y, x, counter, m.key0, m.key1, m.threshold, m.scale)
	},
	adamw:       func(param, grad, m, v []float32, c *adamwConstants) { adamwAVX512(param, grad, m, v, &c.gradScale) },
	sigmoidRows: sigmoidRowsLanes16, studentForces: studentForcesLanes16, gloveStep: gloveStepLanes16, gatherRows: gatherRowsLanes16, addSteps: addStepsLanes16,
	dotWindows: dotWindowsLanes16, mixWindows: mixWindowsLanes16, stepWindows: stepWindowsLanes16,
	sumWindows: sumWindowsLanes16, addWindows: addWindowsLanes16, dotPairs: dotPairsLanes16, stepPairs: stepPairsLanes16,
	fma: fmaAVX512,
}

// assembly returns the instruction sets in assembly that this machine can run. Package cpu
// doesn't report instructions whose registers the operating system doesn't save.
func assembly() []*instructionSet {
	var found []*instructionSet
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI2 {
		found = append(found, &avx2)
		if cpu.X86.HasAVX512F {
			found = append(found, &avx512)
		}
	}
	return found
}
