// Package spec is the objectives of word vectors as they are written in the papers, each a
// graph of Gorgonia's own operations over a small batch in float64: a one-hot matrix times
// a table is the lookup of words, then products, σ, log and sums, and Grad for the
// gradients. It specifies what the kernels compute, and shows it; Step can train a small
// model with it. It takes no shortcut and is slow.
package spec
