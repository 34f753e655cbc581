// Package baseline has models of texts that ignore the order of words: a linear model over the
// mean of word vectors that were trained before, and fastText's classifier, which learns vectors
// of n-grams for the task. A linear model over n-grams themselves is finetune.Setup.FitNGrams.
package baseline
