// Package alignment does the steps of package align on runs: it opens what a step starts
// from, makes its data from the built-in world or from files, and its run; then compares
// what came out. Here, and not in what trains, gold is known: it judges examinations and
// labelers' pairs are made with it, and it is the reward only where that was asked for.
package alignment
