package alignment

import (
	"context"

	"tinygpt/data"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/train"
)

// taxTokens is about the number of tokens of the pre-training's validation text on which the
// alignment tax is measured.
const taxTokens = 20000

// tax returns the model's bits per byte on the validation text of its base's pre-training; how
// much this is above the base's is the alignment tax (Ouyang et al. 2022, section 3.5). It
// returns 0 if the base or its text isn't there any more.
func (x *Contestant) tax(ctx context.Context) (float64, error) {
	base, err := rootOf(x.run)
	if err != nil {
		return 0, nil // the base's folder is gone
	}
	all, _, err := base.ValidationTokens()
	if err != nil {
		return 0, nil
	}
	weights, err := x.model.Weights(model.Float32)
	if err != nil {
		return 0, err
	}
	e, err := train.NewEvaluator(weights, beginningOf(all, base.Tokenizer.Bytes)).Run(ctx)
	if err != nil {
		return 0, err
	}
	return e.BitsPerByte(), nil
}

// rootOf returns the run from which the first step of an aligned run started, or r itself if it
// isn't an aligned one.
func rootOf(r *run.Run) (*run.Run, error) {
	for r.Kind.Is(run.SFT, run.PPO, run.GRPO, run.DPO) {
		var s Settings
		if err := r.Section(SectionKey, &s); err != nil {
			return nil, err
		}
		var err error
		if r, err = run.Open(s.From); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// beginningOf returns the first documents of a stream, about taxTokens tokens.
func beginningOf(s *data.Stream, bytesOf func(int32) []byte) *data.Stream {
	end := len(s.Starts)
	for end > 1 && s.Starts[end-1] > taxTokens {
		end--
	}
	if end == len(s.Starts) {
		return s
	}
	cut := &data.Stream{Tokens: s.Tokens[:s.Starts[end]+1], Starts: s.Starts[:end]} // with the end of text after the last
	for _, t := range cut.Tokens {
		cut.Bytes += len(bytesOf(t))
	}
	return cut
}
