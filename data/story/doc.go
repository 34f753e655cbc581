// Package story is the built-in corpus: small stories in English or Chinese, drawn from a
// probabilistic grammar, as many as are wanted, each a function of a seed and an index.
// Every choice goes through one chooser with known probabilities and a text has one
// derivation only, so the information in each story, −log2 P(text), is known, and so is
// the entropy of the whole source: a floor in bits per byte that no model can pass and
// a good one comes near.
//
// A grammar is text, in a folder for each language, in the notation that notation.go reads:
// word tables, named slots (the people, places and things a story must remember) and
// weighted rules. It is finite and its choices never depend on the words in the slots,
// which is what makes the expectations of ExactEntropy exact sums instead of samples
// (Shannon, A Mathematical Theory of Communication, 1948, section 7: the entropy of a
// source with states).
//
// The events of each story are marked in the grammar, so every story can also be
// labelled: topic, sentiment, mentions, causal links and questions. The package leaves
// out learning, tokens and files.
package story
