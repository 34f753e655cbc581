//go:build linux

// Package reliability breaks runs of the built program on purpose, from outside, and looks
// at what is left: kills, signals, full disks, damaged files. Every kind of run is held to
// the same: nothing is lost but the steps since the last checkpoint, a run that was
// interrupted ends with the bits of one that wasn't, and what can't be done is said in one
// line. cmd/torture is its command.
package reliability
