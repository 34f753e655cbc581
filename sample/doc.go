// Package sample draws texts from a model. Logits become a choice through filters
// (repetition penalty, temperature, top-k, top-p, min-p: a file each, applied in
// the order in which Options lists them); choices follow one another in Generate,
// for several texts at once; Texts puts a tokenizer around it, and ends a text
// where a stop text appears.
//
// A model is known here only as something that gives the logits of the next token.
package sample
