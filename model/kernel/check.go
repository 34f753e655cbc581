package kernel

import (
	"fmt"
)

// need panics unless got, the length of the slice named what, is at least want.
func need(function, what string, got, want int) {
	if got < want {
		tooShort(function, what, got, want)
	}
}

// size panics if n, the size named what, is negative.
func size(function, what string, n int) {
	if n < 0 {
		badSize(function, what, n)
	}
}

//go:noinline
func tooShort(function, what string, got, want int) {
	panic(fmt.Sprintf("kernel: %s: %s has %d elements, needs %d", function, what, got, want))
}

//go:noinline
func badSize(function, what string, n int) {
	panic(fmt.Sprintf("kernel: %s: %s is %d", function, what, n))
}

// grow returns n floats of *x, which it replaces by a larger slice if it has fewer.
func grow(x *[]float32, n int) []float32 {
	if len(*x) < n {
		*x = aligned(n)
	}
	return (*x)[:n]
}
