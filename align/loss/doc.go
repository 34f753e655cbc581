// Package loss holds the formulas of alignment on numbers that a model has given:
// log-probabilities of tokens, values, scores of answers. Each function returns a loss
// in float64 and writes its gradient by these numbers. It knows neither models nor
// batches: package align makes training steps of them, study/verify compares them with
// reference values.
//
// There is no padding here and so no mask: a slice has the tokens that count, those of
// the answers with their end-of-text tokens, and a mean over tokens is over all that
// the whole batch has, however it is cut into pieces.
package loss
