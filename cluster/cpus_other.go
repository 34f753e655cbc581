//go:build !linux

package cluster

// cpus returns none: the system doesn't bind processes to CPUs.
func cpus(int) []int { return nil }
