// Package fewshot measures what a language model does with a prompt alone, without gradient
// steps: zero-shot as in GPT-2 (Radford et al. 2019) and few-shot as in GPT-3 (Brown et al. 2020,
// section 2.4). A prompt is K solved examples and a question; the model's answer is the choice
// that it finds likeliest. Tasks are those of the built-in world (package quiz) or of files.
package fewshot
