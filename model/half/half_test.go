package half

import (
	"math"
	"slices"
	"testing"

	"tinygpt/internal/expect"
)

// valueOf is what the bits of a 16-bit float mean by IEEE 754, section 3.4, with exponentBits bits
// of exponent and the rest of the 15 as fraction. The highest exponent has the value that it would
// have if it didn't stand for infinity: with it the standard decides what rounds to infinity.
func valueOf(bits, exponentBits int) float64 {
	fractionBits := 15 - exponentBits
	bias := 1<<(exponentBits-1) - 1
	exponent, fraction := bits>>fractionBits&(1<<exponentBits-1), bits&(1<<fractionBits-1)
	value := math.Ldexp(float64(1<<fractionBits+fraction), exponent-bias-fractionBits)
	if exponent == 0 {
		value = math.Ldexp(float64(fraction), 1-bias-fractionBits)
	}
	if bits>>15 == 1 {
		return -value
	}
	return value
}

var narrow = []struct {
	name         string
	exponentBits int
	widen        func(uint16) float32
	narrow       func(float32) uint16
}{
	{"float16", 5, FromFloat16, ToFloat16},
	{"bfloat16", 8, FromBfloat16, ToBfloat16},
}

// All 65,536 values of both kinds: each means what the standard says, and comes
// back from float32 as the same bits.
func TestNarrowFloats(t *testing.T) {
	for _, k := range narrow {
		infinity := 1<<15 - 1<<(15-k.exponentBits)
		for bits := range 1 << 16 {
			got, want := float64(k.widen(uint16(bits))), valueOf(bits, k.exponentBits)
			switch magnitude := bits & 0x7fff; {
			case magnitude > infinity:
				if back := int(k.narrow(k.widen(uint16(bits)))); !math.IsNaN(got) || back&0x7fff <= infinity || back>>15 != bits>>15 {
					t.Fatalf("%s %#04x, a NaN: %v and back %#04x", k.name, bits, got, back)
				}
				continue
			case magnitude == infinity:
				want = math.Copysign(math.Inf(1), want)
			}
			if got != want || math.Signbit(got) != (bits>>15 == 1) {
				t.Fatalf("%s %#04x: %v, expected %v", k.name, bits, got, want)
			}
			if back := k.narrow(k.widen(uint16(bits))); int(back) != bits {
				t.Fatalf("%s %#04x: back as %#04x", k.name, bits, back)
			}
		}
	}
}

// Between each value and the next larger one: the middle rounds to the one whose last bit is 0,
// what is above the middle up, what is below it down. The next value after the largest finite one
// is infinity.
func TestRounding(t *testing.T) {
	for _, k := range narrow {
		infinity := 1<<15 - 1<<(15-k.exponentBits)
		for low := range infinity {
			middle := float32((valueOf(low, k.exponentBits) + valueOf(low+1, k.exponentBits)) / 2)
			even := low + low&1
			for _, c := range []struct {
				x    float32
				want int
			}{
				{middle, even},
				{math.Nextafter32(middle, float32(math.Inf(1))), low + 1},
				{math.Nextafter32(middle, 0), low},
			} {
				if got := k.narrow(c.x); int(got) != c.want {
					t.Fatalf("%s: %v becomes %#04x, expected %#04x", k.name, c.x, got, c.want)
				}
				if got := k.narrow(-c.x); int(got) != c.want|1<<15 {
					t.Fatalf("%s: %v becomes %#04x, expected %#04x", k.name, -c.x, got, c.want|1<<15)
				}
			}
		}
		for _, x := range []float32{float32(math.Inf(1)), math.MaxFloat32} {
			if got := k.narrow(x); int(got) != infinity {
				t.Errorf("%s: %v becomes %#04x", k.name, x, got)
			}
		}
		// A NaN whose bits are all among those that go.
		for _, bits := range []uint32{0x7f800001, 0xff800fff, 0x7fc00000} {
			if got := k.narrow(math.Float32frombits(bits)); int(got&0x7fff) <= infinity || got>>15 != uint16(bits>>31) {
				t.Errorf("%s: NaN %#x becomes %#04x", k.name, bits, got)
			}
		}
		if got := k.narrow(math.SmallestNonzeroFloat32); got != 0 {
			t.Errorf("%s: the smallest float32 becomes %#04x", k.name, got)
		}
	}
}

func TestAppend(t *testing.T) {
	inf := float32(math.Inf(-1))
	for _, c := range []struct {
		append func([]byte, []float32) ([]byte, error)
		x      []float32
		want   string
	}{
		{AppendFloat16, []float32{1, -2, 65504, inf}, "!\x00\x3c\x00\xc0\xff\x7b\x00\xfc"},
		{AppendBfloat16, []float32{1, -10, inf}, "!\x80\x3f\x20\xc1\x80\xff"},
	} {
		if got, err := c.append([]byte("!"), c.x); err != nil || !slices.Equal(got, []byte(c.want)) {
			t.Errorf("%v: %q %v, expected %q", c.x, got, err, c.want)
		}
	}
	_, err := AppendFloat16(nil, []float32{1, -65520})
	expect.Error(t, err, "value -65520 is out of the range of float16")
	_, err = AppendBfloat16(nil, []float32{math.MaxFloat32})
	expect.Error(t, err, "is out of the range of bfloat16")
}
