package alignment

import (
	"context"
	"fmt"
	"sync"

	"tinygpt/align"
	"tinygpt/data/instruct"
	"tinygpt/run"
)

// Scorer opens the reward model of a run and returns a function that scores an answer to a
// conversation, whose last message must be the user's. Demonstrations have a score of 0 on
// average, and answers to one prompt a standard deviation of 1. The function may be called by
// several goroutines at the same time.
func Scorer(dir string) (func(messages []instruct.Message, answer string) (float64, error), error) {
	judge, _, err := OpenReward(dir)
	if err != nil {
		return nil, err
	}
	r, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	format, err := instruct.NewFormat(r.Tokenizer)
	if err != nil {
		return nil, err
	}
	var turn sync.Mutex
	return func(messages []instruct.Message, answer string) (float64, error) {
		if err := instruct.CheckPrompt(messages); err != nil {
			return 0, err
		}
		prompt, err := format.Prompt(messages)
		if err != nil {
			return 0, err
		}
		tokens, err := format.Answer(answer)
		if err != nil {
			return 0, err
		}
		if n := len(prompt) + len(tokens); n > judge.Model.Config.Context {
			return 0, fmt.Errorf("conversation and answer have %d tokens, the reward model's context only %d: shorten them", n, judge.Model.Config.Context)
		}
		turn.Lock()
		defer turn.Unlock()
		scores, err := judge.Scores(context.Background(), []align.Instruction{{Messages: messages, Tokens: prompt}}, []align.Answer{{Tokens: tokens, Text: answer, Ended: true}})
		if err != nil {
			return 0, err
		}
		return scores[0], nil
	}, nil
}
