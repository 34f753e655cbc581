// Package model is the GPT decoder: its configuration, parameters, Gorgonia
// graph, and a decoder for generation that caches keys and values.
//
// One Config covers GPT-1 (Radford et al. 2018: post-LN) and GPT-2 (Radford et
// al. 2019: pre-LN). Letters are used the same way throughout: B sequences of T
// tokens, N = B·T rows, D width, H heads, V vocabulary; matrices are row-major.
package model
