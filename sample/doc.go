// Package sample draws texts from a model. A Request says what to continue and how;
// a Batch draws the texts of many requests together, which join and leave it at any
// token. Each token goes through the filters (repetition, presence and frequency
// penalties, temperature, top-k, top-p, min-p: one file each, applied in the order
// of the fields of Options) before one of the remaining candidates is chosen at
// random. A text ends at a token that ends texts, at a stop text, or when it has
// Options.MaxTokens tokens.
//
// The model is reached through the Decoder interface, which model.Decoder
// implements.
package sample
