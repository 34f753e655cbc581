package scaling

import (
	"fmt"
	"math"
	"strings"

	"tinygpt/train"
)

// Count writes a whole number with commas.
func Count(n float64) string { return train.Thousands(int(math.Round(n))) }

// Scientific writes 3.14e23 with three digits.
func Scientific(x float64) string {
	mantissa, exponent, _ := strings.Cut(fmt.Sprintf("%.2e", x), "e")
	return mantissa + "e" + strings.TrimLeft(strings.TrimPrefix(exponent, "+"), "0")
}

// Bytes writes a number of bytes with a unit that fits.
func Bytes(n int64) string {
	x, unit := float64(n)/(1<<20), "MiB"
	for _, larger := range []string{"GiB", "TiB"} {
		if x >= 1000 {
			x, unit = x/1024, larger
		}
	}
	if x < 100 {
		return fmt.Sprintf("%.1f %s", x, unit)
	}
	return Count(x) + " " + unit
}

// Span writes seconds as a reader thinks of them, up to years.
func Span(seconds float64) string {
	const day = 86400
	for _, u := range []struct {
		name   string
		length float64
	}{{"years", 365.25 * day}, {"days", day}, {"hours", 3600}, {"min", 60}} {
		if seconds >= 2*u.length {
			return digits(seconds/u.length) + " " + u.name
		}
	}
	return digits(seconds) + " s"
}

// digits writes two digits or, of larger numbers, all of them with commas.
func digits(x float64) string {
	if x < 10 {
		return fmt.Sprintf("%.1f", x)
	}
	return Count(x)
}
