// Package spec has the objectives of word vectors as the papers write them, each as a graph of
// Gorgonia's own operations over a small batch in float64: a one-hot matrix times a table is
// the lookup of words, then come products, σ, log and sums, and Grad for the gradients. It
// specifies what the kernels compute. Step, SoftmaxStep and GloVeStep train small models with
// it. It takes no shortcut and is slow.
package spec
