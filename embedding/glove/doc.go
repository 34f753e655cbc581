// Package glove trains word vectors on counts of co-occurrence (Pennington, Socher and
// Manning 2014, "GloVe: Global Vectors for Word Representation").
//
// The result has the same bits on any number of threads and with any bound on memory. Each
// row of the matrix is counted by itself, from the places where its word occurs. Training
// divides rows and columns into P classes by their number modulo P: blocks that share neither
// a class of rows nor one of columns touch different vectors, so P of them are trained at
// the same time with the result of training them one after the other (Gemulla et al., KDD
// 2011, "Large-Scale Matrix Factorization with Distributed SGD").
package glove
