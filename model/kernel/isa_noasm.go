//go:build purego || !(amd64 || arm64)

package kernel

// assembly returns no instruction set: only portable Go runs here.
func assembly() []*instructionSet { return nil }
