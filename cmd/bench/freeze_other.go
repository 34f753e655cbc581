//go:build !unix

package main

import "os"

// freeze does nothing: this system has no signal that stops a process, and
// peers whose threads spin after a call take time from the others.
func freeze(*os.Process) error { return nil }

func thaw(*os.Process) error { return nil }
