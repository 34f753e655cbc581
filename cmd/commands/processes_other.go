//go:build !unix

package commands

import (
	"errors"
	"os"
	"syscall"
)

// extraSignals are those that a shared training stops at besides the usual ones.
func extraSignals() []os.Signal { return nil }

// replace returns an error: trainings are shared on Linux alone.
func replace(string, []string) error {
	return errors.New("several processes can share a training on Linux alone")
}

// end does nothing.
func end(syscall.Signal) {}
