//go:build purego || !(amd64 || arm64)

package kernel

// assembly returns the levels written in assembly that this machine can run.
func assembly() []*level { return nil }
