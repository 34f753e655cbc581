// Package baseline has models of texts that know words by vectors and not their order: the
// mean of word vectors that were trained elsewhere, under a linear model, and fastText's
// classifier, which learns vectors of n-grams for the task. What n-grams alone do is
// finetune.Setup's FitNGrams.
package baseline
