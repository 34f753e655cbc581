//go:build purego || !amd64

package kernel

// pause is a moment of waiting for another thread.
func pause() {}
