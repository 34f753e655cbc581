// Package perf measures this program on this machine: matrix products, whole
// training steps through train.Trainer, and sampling. `gpt bench` shows the
// figures; the program in cmd/bench sets them beside those of others.
package perf
