package alignment

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"tinygpt/align"
	"tinygpt/data/instruct"
	"tinygpt/data/instruct/gold"
	"tinygpt/data/instruct/labeler"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/tokenizer"
)

// Contestant is a model whose answers are compared.
type Contestant struct {
	Name string
	// Shots is how many solved examples come before a prompt. It is for models that weren't
	// trained on conversations, which read prompt and answer as lines of text.
	Shots int

	run    *run.Run
	model  *model.Model
	format *instruct.Format // nil for a model that wasn't trained on conversations
}

// OpenContestant opens the run of a folder. A reward model and a classifier, which don't write
// answers, are errors.
func OpenContestant(dir string, shots int) (*Contestant, error) {
	r, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	if r.Kind.Is(run.Reward, run.Finetuned) {
		return nil, fmt.Errorf("%s is a run of kind %s, whose model writes no answers: expected a language model or an aligned one", dir, r.Kind)
	}
	c := &Contestant{Name: filepath.Base(r.Dir), Shots: shots, run: r}
	if c.model, _, err = r.Model(""); err != nil {
		return nil, err
	}
	if tokenizer.ChatTemplate(r.Tokenizer) == instruct.Template {
		c.format, err = instruct.NewFormat(r.Tokenizer)
	}
	if shots > 0 {
		c.Name += fmt.Sprintf(" (%d examples)", shots)
	}
	return c, err
}

// Result has the measures of a contestant's answers.
type Result struct {
	Name       string                    `json:"name"`
	Parameters int64                     `json:"parameters"`
	Prompts    int                       `json:"prompts"`
	Gold       float64                   `json:"gold"`
	GoldError  float64                   `json:"gold_error"` // standard error of Gold
	Tasks      map[instruct.Task]float64 `json:"gold_by_task"`
	// Coherent, Hero, Mood and Topic are shares of stories: of those that are coherent, and of
	// those that are as asked for in this respect.
	Coherent float64 `json:"coherent"`
	Hero     float64 `json:"hero"`
	Mood     float64 `json:"mood"`
	Topic    float64 `json:"topic"`
	// Right and MadeUp are shares of questions about a story: of right answers, and of answers
	// that the story doesn't give (hallucinations in closed domains, as Ouyang et al. count
	// them).
	Right  float64 `json:"right"`
	MadeUp float64 `json:"made_up"`
	Ended  float64 `json:"ended"`  // the share of answers that the model ended itself
	Tokens float64 `json:"tokens"` // the mean length of an answer
	// KL is the exact divergence from the first contestant's model, in nats an answer; −1: the
	// two can't be compared.
	KL          float64 `json:"kl"`
	BitsPerByte float64 `json:"bits_per_byte,omitempty"` // on the validation split of the pre-training text; 0: unknown
	// ByGold and ByLabelers say how often its answers are preferred over those of the first
	// contestant, by gold and by labelers that were held out.
	ByGold     Wins `json:"preferred_by_gold"`
	ByLabelers Wins `json:"preferred_by_labelers"`

	scores  []float64
	answers []align.Answer
	scored  []gold.Score
}

// Wins is the share of prompts where a contestant's answer is preferred, where a tie counts as
// half, and half the width of its 95 % confidence interval.
type Wins struct {
	Share float64 `json:"share"`
	Half  float64 `json:"half_interval"`
}

// Comparison is the contestants' results on the same prompts.
type Comparison struct {
	Prompts []instruct.Prompt `json:"-"`
	Results []*Result         `json:"results"`
}

// Compare lets all contestants answer n held-out prompts of the world, fewer if there are fewer
// that fit into all contexts, and compares the others with the first. No prompt that fits is an
// error.
func Compare(ctx context.Context, list []*Contestant, s Settings, n int, p Progress) (*Comparison, error) {
	if p == nil {
		p = func(string, int, int) {}
	}
	w := instruct.NewWorld(s.World.Seed, s.World.Scale)
	c := &Comparison{Prompts: w.Prompts(instruct.PPO, true)}
	// Keep the prompts that fit into the contexts of all models.
	for _, x := range list {
		var kept []instruct.Prompt
		for i := range c.Prompts {
			tokens, err := x.prompt(&c.Prompts[i], nil)
			if err != nil {
				return nil, err
			}
			answer, err := x.run.Tokenizer.Encode(c.Prompts[i].Demonstration)
			if err != nil {
				return nil, err
			}
			if len(tokens)+len(answer)+1 <= x.model.Config.Context {
				kept = append(kept, c.Prompts[i])
			}
		}
		c.Prompts = kept
	}
	c.Prompts = c.Prompts[:min(n, len(c.Prompts))]
	if len(c.Prompts) == 0 {
		return nil, fmt.Errorf("none of the world's prompts fits into the contexts of all models")
	}
	examples := w.Prompts(instruct.SFT, false)
	panel := labeler.Panel{Labelers: labeler.New(s.World.Seed+labelerSeed, labeler.HeldOut, true)}
	for i, x := range list {
		p("answering: "+x.Name, i, len(list))
		r, err := x.answer(ctx, c.Prompts, examples, s)
		if err == nil {
			r.BitsPerByte, err = x.tax(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.Name, err)
		}
		c.Results = append(c.Results, r)
	}
	p("answering", len(list), len(list))
	if len(list) > 1 {
		c.preferences(&panel)
	}
	for i, x := range list {
		if err := x.divergence(ctx, list[0], c, i); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// prompt returns the tokens that the contestant reads: a conversation, or lines of text with
// solved examples before them.
func (x *Contestant) prompt(p *instruct.Prompt, solved []instruct.Prompt) ([]int32, error) {
	if x.format != nil {
		return x.format.Prompt(p.Messages)
	}
	tok := x.run.Tokenizer
	var tokens []int32
	if end := tok.EndOfText(); end >= 0 {
		tokens = append(tokens, end)
	}
	text := ""
	for _, e := range solved {
		text += lines(e.Messages) + e.Demonstration + "\n"
	}
	more, err := tok.Encode(text + lines(p.Messages))
	return append(tokens, more...), err
}

// lines returns a conversation as lines of text.
func lines(messages []instruct.Message) (text string) {
	for _, m := range messages {
		text += m.Content + "\n"
	}
	return text
}

// answer draws and judges the contestant's answers.
func (x *Contestant) answer(ctx context.Context, prompts, examples []instruct.Prompt, s Settings) (*Result, error) {
	format := x.format
	if format == nil {
		format = &instruct.Format{Tokenizer: x.run.Tokenizer, End: x.run.Tokenizer.EndOfText()}
	}
	g := &align.Generator{Format: format, MaxTokens: s.World.MaxTokens}
	list := make([]align.Instruction, len(prompts))
	for i := range prompts {
		tokens, err := x.shown(&prompts[i], examples, i)
		if err != nil {
			return nil, err
		}
		list[i] = align.Instruction{Messages: prompts[i].Messages, Tokens: tokens, World: &prompts[i]}
	}
	answers, err := g.Answers(ctx, x.model, list, align.Seeds(s.World.Seed, "comparison", len(list)))
	if err != nil {
		return nil, err
	}
	if x.format == nil {
		// The answer of a model that knows no conversations ends with its line.
		for i := range answers {
			if at := slices.IndexFunc([]byte(answers[i].Text), func(b byte) bool { return b == '\n' }); at >= 0 {
				answers[i].Text, answers[i].Ended = answers[i].Text[:at], true
			}
		}
	}
	return x.judged(prompts, answers), nil
}

// shown returns prompt number number with Shots examples of its task before it, or as many as
// the context has room for.
func (x *Contestant) shown(p *instruct.Prompt, examples []instruct.Prompt, number int) (tokens []int32, err error) {
	var solved []instruct.Prompt
	for i := range examples {
		e := &examples[(i+number*7)%len(examples)]
		if len(solved) == x.Shots {
			break
		}
		if e.Task == p.Task && len(e.Messages) == 1 {
			solved = append(solved, *e)
		}
	}
	for {
		if tokens, err = x.prompt(p, solved); err != nil || len(solved) == 0 || len(tokens)+40 <= x.model.Config.Context {
			return tokens, err
		}
		solved = solved[1:]
	}
}

// judged judges answers by gold.
func (x *Contestant) judged(prompts []instruct.Prompt, answers []align.Answer) *Result {
	r := &Result{Name: x.Name, Parameters: x.model.Config.ParameterCount(), Prompts: len(prompts), Tasks: map[instruct.Task]float64{}, KL: -1, answers: answers}
	count := map[instruct.Task]float64{}
	tales, questions := 0.0, 0.0
	for i, a := range answers {
		p := &prompts[i]
		s := gold.Judge(p, a.Text)
		r.scores, r.scored = append(r.scores, s.Reward), append(r.scored, s)
		r.Tasks[p.Task] += s.Reward
		count[p.Task]++
		if p.Truth.Hero != "" {
			tales++
			if s.Coherence == 1 {
				r.Coherent++
			}
			r.Hero, r.Mood, r.Topic = r.Hero+s.Hero, r.Mood+s.Mood, r.Topic+s.Topic
		} else if p.Task != instruct.Quiz && p.Task != instruct.Unkind {
			questions++
			if s.Right {
				r.Right++
			}
			if s.MadeUp {
				r.MadeUp++
			}
		}
		if a.Ended {
			r.Ended++
		}
		r.Tokens += float64(len(a.Tokens))
	}
	for t := range count {
		r.Tasks[t] /= count[t]
	}
	n := float64(len(prompts))
	r.Coherent, r.Hero, r.Mood, r.Topic = r.Coherent/max(tales, 1), r.Hero/max(tales, 1), r.Mood/max(tales, 1), r.Topic/max(tales, 1)
	r.Right, r.MadeUp = r.Right/max(questions, 1), r.MadeUp/max(questions, 1)
	r.Ended, r.Tokens = r.Ended/n, r.Tokens/n
	r.Gold, r.GoldError = meanError(r.scores)
	return r
}

// meanError returns the mean and its standard error.
func meanError(x []float64) (mean, e float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		e += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(e / max(n-1, 1) / n)
}

// preferences compares all contestants with the first: by gold, and by the labelers that were
// held out, whose noise is set so that they disagree as often as labelers do.
func (c *Comparison) preferences(panel *labeler.Panel) {
	first := c.Results[0]
	var all []labeler.Question
	for _, r := range c.Results[1:] {
		for i := range c.Prompts {
			if a, b := r.answers[i].Text, first.answers[i].Text; a != b {
				all = append(all, panel.Ask(&c.Prompts[i], a, b))
			}
		}
	}
	if panel.Calibrate(all) != nil {
		panel.Noise = 0.5 // no noise is needed for them to disagree
	}
	for _, r := range c.Results[1:] {
		byGold, byLabelers := make([]float64, len(c.Prompts)), make([]float64, len(c.Prompts))
		for i := range c.Prompts {
			byGold[i], byLabelers[i] = 0.5, 0.5
			switch d := r.scores[i] - first.scores[i]; {
			case d > 1e-9:
				byGold[i] = 1
			case d < -1e-9:
				byGold[i] = 0
			}
			if a, b := r.answers[i].Text, first.answers[i].Text; a != b {
				byLabelers[i] = panel.Prefers(panel.Ask(&c.Prompts[i], a, b))
			}
		}
		for _, w := range []struct {
			into *Wins
			list []float64
		}{{&r.ByGold, byGold}, {&r.ByLabelers, byLabelers}} {
			share, e := meanError(w.list)
			*w.into = Wins{share, 1.96 * e}
		}
	}
}

// divergence sets Result.KL of contestant i, if it and the first have the same tokenizer and
// were both trained on conversations.
func (x *Contestant) divergence(ctx context.Context, first *Contestant, c *Comparison, i int) error {
	if x.format == nil || first.format == nil || tokenizer.Fingerprint(x.run.Tokenizer) != tokenizer.Fingerprint(first.run.Tokenizer) {
		return nil
	}
	var list []align.Instruction
	for j := range c.Prompts {
		tokens, err := x.format.Prompt(c.Prompts[j].Messages)
		if err != nil {
			return err
		}
		list = append(list, align.Instruction{Tokens: tokens})
	}
	kl, err := align.Divergence(ctx, x.model, first.model, list, c.Results[i].answers)
	c.Results[i].KL = kl
	return err
}
