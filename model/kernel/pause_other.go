//go:build purego || !amd64

package kernel

// pause tells the processor that a loop waits for another thread; here there is no such
// instruction.
func pause() {}
