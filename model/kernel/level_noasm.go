//go:build purego || !amd64

package kernel

// assembly returns the levels written in assembly that this machine can run.
func assembly() []*level { return nil }

// pause is a moment of waiting for another thread.
func pause() {}
