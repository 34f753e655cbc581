// Package loss has the formulas of alignment as functions of numbers that a model has computed:
// log-probabilities of tokens, values, scores of answers. Losses are float64, and their
// functions also compute the gradient with respect to these numbers. The package knows neither
// models nor batches: package align makes training steps of the formulas, study/verify compares
// them with reference values.
//
// There is no padding here and so no mask: a slice has only the tokens that count, those of
// the answers with their end-of-text tokens. A mean over tokens is over those of the whole
// batch, however the batch is cut into pieces.
package loss
