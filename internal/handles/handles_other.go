//go:build !unix

// Nothing to check: only Unix limits the handles of a process.

package handles
