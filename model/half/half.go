// Package half converts between float32 and the two kinds of 16-bit float in which
// weights are stored: IEEE 754 binary16 and bfloat16, the upper half of a float32.
//
// Widening is exact. Narrowing rounds to the nearest value, a tie to the one whose
// last bit is 0 (IEEE 754-2019, section 4.3.1), as PyTorch and NumPy do; a NaN stays a NaN,
// and becomes quiet.
package half

import (
	"encoding/binary"
	"fmt"
	"math"
)

// FromFloat16 widens a binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits.
func FromFloat16(h uint16) float32 {
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

// ToFloat16 narrows to binary16; from 65,520 on, to infinity.
func ToFloat16(x float32) uint16 {
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
	// The lowest 13 fraction bits are dropped. A carry out of the fraction increases the
	// exponent, and a carry out of the last exponent gives infinity.
	return sign | uint16((b+0xfff+b>>13&1-(127-15)<<23)>>13)
}

// FromBfloat16 widens a bfloat16.
func FromBfloat16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// ToBfloat16 narrows to bfloat16.
func ToBfloat16(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16 | 0x40)
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// AppendFloat16 appends the values of x as binary16, little-endian. A finite value
// that would become infinite is an error.
func AppendFloat16(b []byte, x []float32) ([]byte, error) {
	return appendNarrow(b, x, ToFloat16, 0x7c00, "float16, whose largest is 65504")
}

// AppendBfloat16 appends the values of x as bfloat16, little-endian. A finite value
// that would become infinite is an error.
func AppendBfloat16(b []byte, x []float32) ([]byte, error) {
	return appendNarrow(b, x, ToBfloat16, 0x7f80, "bfloat16")
}

func appendNarrow(b []byte, x []float32, narrow func(float32) uint16, infinity uint16, kind string) ([]byte, error) {
	for _, v := range x {
		h := narrow(v)
		if h&0x7fff == infinity && !math.IsInf(float64(v), 0) {
			return b, fmt.Errorf("value %v is out of the range of %s", v, kind)
		}
		b = binary.LittleEndian.AppendUint16(b, h)
	}
	return b, nil
}
