//go:build !linux || !(amd64 || arm64)

package mpi

import (
	"errors"
	"os"

	"tinygpt/internal/launcher"
)

// World is all processes of the job. There are none on this system.
type World struct{}

// Join returns an error: MPI libraries are opened on Linux alone, on amd64 and arm64.
func Join(launcher.Job) (*World, error) {
	return nil, errors.New("several processes can share a training on Linux alone, on amd64 and arm64: start one")
}

// Rank is 0.
func (w *World) Rank() int { return 0 }

// Size is 1.
func (w *World) Size() int { return 1 }

// Library is empty.
func (w *World) Library() string { return "" }

// ABI is empty.
func (w *World) ABI() string { return "" }

// Floats returns n zeros.
func (w *World) Floats(n int) []float32 { return make([]float32, n) }

// Sum does nothing.
func (w *World) Sum([]float64) error { return nil }

// Broadcast does nothing.
func (w *World) Broadcast([]byte) error { return nil }

// Leave ends the process.
func (w *World) Leave(status int) { os.Exit(status) }

// Abort ends the process.
func (w *World) Abort(status int) { os.Exit(status) }

// Gather does nothing.
func (w *World) Gather([]float32, []int) func() error { return func() error { return nil } }

// Scatter does nothing.
func (w *World) Scatter([]float32, []int, []float32, []int) func() error {
	return func() error { return nil }
}
