// Package perf measures this program on this machine: matrix products, whole
// training steps through train.Trainer, and sampling. `gpt bench` shows the
// figures; the program in cmd/bench compares them with those of other programs.
package perf
