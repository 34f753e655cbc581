// Package corpus turns text into what word vectors are trained on: the words of each
// line, a vocabulary with counts, and the text as numbers of words. It has word2vec's random
// draws: subsampling of frequent words, and noise words in proportion to f^(3/4). Every draw
// is a function of a seed and a place in the text, so it doesn't depend on the number of
// threads.
package corpus
