// Package quiz is the part of the built-in world from which a model can learn to learn
// from examples: sheets of questions and answers, and books of plain statements. A
// sheet never says what it asks for: it follows a hidden rule ("write the opposite",
// "write them in order") that only its examples tell, which is the setting in which a
// language model becomes a few-shot learner (Brown et al. 2020; as inference of a
// hidden concept: Xie et al. 2022; why documents must repeat their pattern: Chan et al.
// 2022).
//
// Every choice has a known probability, so a document's information −log2 P(text) is
// exact: that of its questions, and for the answers that of the rule, summed over all
// rules which give the same answers. The same sum says how sure the best possible
// reader can be after any number of examples (Task.Ideal).
//
// Some words, numbers and people are kept out of the sheets, though not out of
// statements and stories; what a task asks in an evaluation consists of those. The
// package leaves out learning, tokens and files.
package quiz
