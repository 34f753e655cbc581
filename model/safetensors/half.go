package safetensors

import "math"

// The two kinds of 16-bit float. Widening is exact. Narrowing rounds to the
// nearest value, a tie to the one whose last bit is 0 (IEEE 754-2019, section
// 4.3.1), as PyTorch and NumPy do; a NaN stays one and becomes quiet.

// fromHalf widens an IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10
// fraction bits.
func fromHalf(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero or subnormal: fraction · 2⁻²⁴, a normal float32
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// toHalf narrows to binary16; from 65,520 on, to infinity.
func toHalf(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &^= 1 << 31
	switch {
	case b > 0xff<<23: // NaN
		return sign | 0x7e00 | uint16(b>>13&0x3ff)
	case b >= (127+16)<<23: // 2¹⁶ or more
		return sign | 0x7c00
	case b < (127-14)<<23: // a multiple of 2⁻²⁴ at most 2⁻¹⁴, whose bits are the multiple
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(b))*0x1p24))
	}
	// 13 fraction bits go. A carry out of the fraction is the next exponent, and out
	// of the last exponent infinity.
	return sign | uint16((b+0xfff+b>>13&1-(127-15)<<23)>>13)
}

// fromBfloat16 widens the upper half of a float32.
func fromBfloat16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// toBfloat16 narrows to the upper half of a float32.
func toBfloat16(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16 | 0x40)
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
