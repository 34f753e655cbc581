// Package word2vec trains word vectors by skip-gram and CBOW with negative sampling
// (Mikolov et al. 2013, arXiv 1301.3781 and 1310.4546), and by the full softmax that
// negative sampling replaces.
//
// The result has the same bits on any number of threads. The text is cut into chunks, chunks
// into blocks of targets, blocks into pieces. All pieces of a block read the same vectors; then
// the steps of the block are added to the vectors, those of each row in the order of the text.
// So a vector is at most one block out of date. The more often the most frequent word occurs,
// the shorter are the blocks. The targets of a piece share their noise words.
package word2vec
