// Package number writes numbers, sizes and durations for a reader.
package number

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Thousands writes 1234 as 1,234.
func Thousands(n int) string {
	sign, s := "", strconv.Itoa(n)
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Of writes how many there are of something: 1 layer, 12 layers, 1,000 words.
func Of(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return Thousands(n) + " " + what
}

// Count rounds x to a whole number and writes it as Thousands does.
func Count(x float64) string { return Thousands(int(math.Round(x))) }

// Scientific writes x with three digits, as in 3.14e23.
func Scientific(x float64) string {
	mantissa, exponent, _ := strings.Cut(fmt.Sprintf("%.2e", x), "e")
	sign := ""
	if strings.HasPrefix(exponent, "-") {
		sign = "-"
	}
	digits := strings.TrimLeft(exponent[1:], "0")
	if digits == "" {
		digits = "0"
	}
	return mantissa + "e" + sign + digits
}

// Mebibytes writes a number of bytes as 12 MiB.
func Mebibytes(n int64) string { return fmt.Sprintf("%s MiB", Thousands(int((n+1<<19)>>20))) }

// Bytes writes a number of bytes in the unit that fits: KiB, MiB, GiB or TiB.
func Bytes(n int64) string {
	if n < 1<<20/10 {
		return fmt.Sprintf("%d KiB", (n+1023)>>10)
	}
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

// Short writes a duration to the second: 1h02m, 3m20s or 12s.
func Short(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%ds", int(d.Seconds()))
}

// Span writes seconds in one unit, from seconds up to years: 2.5 min, 12 days.
func Span(seconds float64) string {
	const day = 86400
	for _, u := range []struct {
		name   string
		length float64
	}{{"years", 365.25 * day}, {"days", day}, {"hours", 3600}, {"min", 60}} {
		if seconds >= 2*u.length {
			return twoDigits(seconds/u.length) + " " + u.name
		}
	}
	return twoDigits(seconds) + " s"
}

// twoDigits writes two digits of a number below 10, and larger numbers as Count does.
func twoDigits(x float64) string {
	if x < 10 {
		return fmt.Sprintf("%.1f", x)
	}
	return Count(x)
}
