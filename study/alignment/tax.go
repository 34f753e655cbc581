package alignment

import (
	"context"

	"tinygpt/data"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/train"
)

// taxTokens are about how many tokens of the pre-training's validation text the alignment
// tax is measured on.
const taxTokens = 20000

// tax is what a model pays per byte of the text that its base was trained on: what it
// has forgotten of that is the alignment tax (Ouyang et al. 2022, section 3.5). 0: the
// text isn't known, or is the same as nobody's.
func (x *Contestant) tax(ctx context.Context) (float64, error) {
	base, err := rootOf(x.run)
	if err != nil {
		return 0, nil // the base's folder is gone: nothing to measure with
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

// rootOf is the run of texts that an aligned run goes back to.
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

// beginningOf are the first documents of a stream, as many as taxTokens allow.
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
