package alignment

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"tinygpt/align"
	"tinygpt/align/loss"
	"tinygpt/data/instruct"
	"tinygpt/model"
	"tinygpt/run"
)

// Drawn has many answers of a model to each of some held-out prompts, with their gold scores.
// From these the best of n answers can be computed for any n and any reward model.
type Drawn struct {
	prompts []align.Instruction // of each answer
	answers []align.Answer
	gold    []float64
	each    int // answers to a prompt
}

// BestOf has the means over prompts of the best of N answers by a reward.
type BestOf struct {
	N int `json:"n"`
	// KL is ln N − (N−1)/N nats: an upper bound of its divergence from the model.
	KL     float64 `json:"kl_bound"`
	Proxy  float64 `json:"reward"` // the reward by which it was chosen
	Gold   float64 `json:"gold"`
	Tokens float64 `json:"tokens"` // the answer's length
}

// Draw draws each answers of the model of the run dir to each of n held-out prompts, and judges
// them by gold.
func Draw(ctx context.Context, dir string, s Settings, n, each int, p Progress) (*Drawn, error) {
	r, m, format, err := openAligned(dir)
	if err != nil {
		return nil, err
	}
	d := &source{settings: &s, format: format, context: r.Config.Model.Context}
	held, err := d.heldOut(n)
	if err != nil {
		return nil, err
	}
	out := &Drawn{each: each}
	for _, in := range held {
		out.prompts = append(out.prompts, slices.Repeat([]align.Instruction{in}, each)...)
	}
	g := d.generator()
	seeds := align.Seeds(s.World.Seed, "best of", len(out.prompts))
	const part = 512
	for at := 0; at < len(out.prompts); at += part {
		to := min(at+part, len(out.prompts))
		p("drawing answers", at, len(out.prompts))
		answers, err := g.Answers(ctx, m, out.prompts[at:to], seeds[at:to])
		if err != nil {
			return nil, err
		}
		out.answers = append(out.answers, answers...)
	}
	p("drawing answers", len(out.prompts), len(out.prompts))
	out.gold, err = Gold{}.Scores(ctx, out.prompts, out.answers)
	return out, err
}

// openAligned opens a run whose model was trained on conversations.
func openAligned(dir string) (*run.Run, *model.Model, *instruct.Format, error) {
	r, err := run.Open(dir)
	if err != nil {
		return nil, nil, nil, err
	}
	format, err := instruct.NewFormat(r.Tokenizer)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	m, _, err := r.Model("")
	return r, m, format, err
}

// BestOf computes the best of 1, 2, 4, … answers by the judge's scores.
func (d *Drawn) BestOf(ctx context.Context, judge align.Judge) ([]BestOf, error) {
	scores, err := judge.Scores(ctx, d.prompts, d.answers)
	if err != nil {
		return nil, err
	}
	var list []BestOf
	tokens := make([]float64, len(scores))
	for i, a := range d.answers {
		tokens[i] = float64(len(a.Tokens))
	}
	for n := 1; n <= d.each; n *= 2 {
		b := BestOf{N: n, KL: loss.BestOfKL(n)}
		for at := 0; at < len(scores); at += d.each {
			part := func(x []float64) []float64 { return x[at : at+d.each] }
			share := float64(d.each) / float64(len(scores))
			b.Proxy += share * loss.ExpectBestOf(n, part(scores), part(scores))
			b.Gold += share * loss.ExpectBestOf(n, part(scores), part(d.gold))
			b.Tokens += share * loss.ExpectBestOf(n, part(scores), part(tokens))
		}
		list = append(list, b)
	}
	return list, nil
}

// ShowBestOf prints a table of list; judge is the name of the column of rewards.
func ShowBestOf(out io.Writer, judge string, list []BestOf) {
	fmt.Fprintf(out, "%6s %10s %10s %10s %10s\n", "n", "KL ≤", judge, "gold", "tokens")
	for _, b := range list {
		fmt.Fprintf(out, "%6d %10.2f %10.3f %10.3f %10.1f\n", b.N, b.KL, b.Proxy, b.Gold, b.Tokens)
	}
}

// fitted has α and β of R(d) = d·(α − β·f(d)) by least squares (Gao et al. 2022, equations 1
// and 2: f(d) = d for best of n, ln d for reinforcement learning), with their standard errors.
type fitted struct{ Alpha, AlphaError, Beta, BetaError float64 }

// fit fits the law to rewards gained at distances d > 0. It returns false if there are fewer
// than three points or they don't determine α and β.
func fit(d, reward []float64, f func(float64) float64) (fitted, bool) {
	var aa, ab, bb, ar, br float64
	for i := range d {
		x, y := d[i], -d[i]*f(d[i])
		aa, ab, bb = aa+x*x, ab+x*y, bb+y*y
		ar, br = ar+x*reward[i], br+y*reward[i]
	}
	det := aa*bb - ab*ab
	if len(d) < 3 || det <= 1e-12*aa*bb {
		return fitted{}, false
	}
	r := fitted{Alpha: (ar*bb - br*ab) / det, Beta: (br*aa - ar*ab) / det}
	left := 0.0
	for i := range d {
		e := reward[i] - d[i]*(r.Alpha-r.Beta*f(d[i]))
		left += e * e / float64(len(d)-2)
	}
	r.AlphaError, r.BetaError = math.Sqrt(left*bb/det), math.Sqrt(left*aa/det)
	return r, true
}

// BestOfReward computes the best of up to n answers by the reward model of the run dir, from
// answers to prompts held-out prompts by the model whose answers that run compared.
func BestOfReward(ctx context.Context, dir string, prompts, n int, p Progress) ([]BestOf, error) {
	r, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	var s Settings
	if err := r.Section(SectionKey, &s); err != nil {
		return nil, err
	}
	judge, _, err := OpenReward(dir)
	if err != nil {
		return nil, err
	}
	drawn, err := Draw(ctx, s.answerer(), s, prompts, n, p)
	if err != nil {
		return nil, err
	}
	return drawn.BestOf(ctx, judge)
}
