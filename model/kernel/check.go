package kernel

import (
	"fmt"
)

// need panics unless a slice named what has length want at least.
func need(function, what string, got, want int) {
	if got < want {
		tooShort(function, what, got, want)
	}
}

// size panics unless n, named what, is a size.
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

// grow returns n floats of *x, which it replaces if they are too few.
func grow(x *[]float32, n int) []float32 {
	if len(*x) < n {
		*x = aligned(n)
	}
	return (*x)[:n]
}
