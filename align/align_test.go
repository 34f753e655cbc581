package align

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"tinygpt/align/loss"
	"tinygpt/data/instruct"
	"tinygpt/internal/expect"
	"tinygpt/model"
	"tinygpt/model/modeltest"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// world is a tokenizer of few characters with conversations, and a small model.
type world struct {
	format *instruct.Format
	shape  model.Config
}

func newWorld(t *testing.T, characters string, context int) world {
	t.Helper()
	tok, err := tokenizer.NewChar(slices.Values([]string{characters}))
	if err == nil {
		tok, err = instruct.Extend(tok)
	}
	if err != nil {
		t.Fatal(err)
	}
	format, err := instruct.NewFormat(tok)
	if err != nil {
		t.Fatal(err)
	}
	return world{format, model.Config{Arch: model.GPT2, Layers: 1, Heads: 2, Width: 16, Context: context, VocabSize: tok.VocabSize()}}
}

func (w world) model(t *testing.T, seed uint64) *model.Model {
	t.Helper()
	m := modeltest.New(t, w.shape, seed)
	return m
}

func (w world) instruction(t *testing.T, text string) Instruction {
	t.Helper()
	messages := []instruct.Message{{Role: instruct.User, Content: text}}
	tokens, err := w.format.Prompt(messages)
	if err != nil {
		t.Fatal(err)
	}
	return Instruction{Messages: messages, Tokens: tokens}
}

// byToken rewards an answer by its first token.
type byToken struct{ rewards []float64 }

func (byToken) Name() string { return "token" }

func (b byToken) Scores(_ context.Context, list []Instruction, answers []Answer) ([]float64, error) {
	scores := make([]float64, len(list))
	for i, a := range answers {
		scores[i] = b.rewards[a.Tokens[0]]
	}
	return scores, nil
}

// bandit is a prompt whose answer is one token, each worth something: there the best
// possible policy is known.
type bandit struct {
	world
	in      Instruction
	rewards []float64
	ref     []float64 // the reference's probabilities
	m       *model.Model
}

func newBandit(t *testing.T) *bandit {
	b := &bandit{world: newWorld(t, "abcdefgh", 16)}
	b.shape.InitStd = 0.3
	b.m = b.model(t, 3)
	b.in = b.instruction(t, "a")
	r := rand.New(rand.NewPCG(1, 1))
	for range b.shape.VocabSize {
		b.rewards = append(b.rewards, r.NormFloat64())
	}
	b.ref = b.probabilities(t)
	return b
}

func (b *bandit) probabilities(t *testing.T) (p []float64) {
	t.Helper()
	d := b.m.NewDecoder(1)
	if err := d.Append([]model.Input{{Tokens: b.in.Tokens}}); err != nil {
		t.Fatal(err)
	}
	logits := make([]float64, b.shape.VocabSize)
	for i, z := range d.Logits(0) {
		logits[i] = float64(z)
	}
	for _, l := range loss.LogSoftmax(logits) {
		p = append(p, math.Exp(l))
	}
	return p
}

// check asks for 99 % of the way from the reference to the optimum.
func (b *bandit) check(t *testing.T, beta float64) {
	t.Helper()
	p := b.probabilities(t)
	reached, start := 0.0, 0.0
	for i := range p {
		reached += p[i] * (b.rewards[i] - beta*math.Log(p[i]/b.ref[i]))
		start += b.ref[i] * b.rewards[i]
	}
	_, best := loss.Optimum(b.ref, b.rewards, beta)
	gained := (reached - start) / (best - start)
	t.Logf("E[r] − β·KL: %.4f of %.4f, at the reference %.4f: %.2f %% of the way", reached, best, start, 100*gained)
	if gained < 0.99 {
		t.Errorf("reached %.4f of %.4f: less than 99 %%", reached, best)
	}
}

const banditBeta = 0.5

func (b *bandit) policy(t *testing.T, c Policy, value *model.Model) {
	t.Helper()
	in := PolicyInputs{Model: b.m, Value: value, Prompts: []Instruction{b.in}, Generator: &Generator{Format: b.format, MaxTokens: 1}, Reward: byToken{b.rewards}, Seed: 1}
	s, err := NewPolicy(in, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Trainer.Config.MinLearningRate = 0 // the noise dies down
	for range s.Trainer.Config.Steps {
		if _, err := s.Trainer.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// banditSettings are for a policy without end, filters or limits.
func banditSettings() Policy {
	return Policy{
		Updates: 150, Episodes: 256, Group: 1, MiniBatch: 256, Epochs: 2, LearningRate: 1e-2, KL: banditBeta, KLIn: KLReward,
		Clip: 0.2, Gamma: 1, Lambda: 1, ValueRate: 1e-2, ValueClip: 10, ValueWeight: 1, EvalEvery: 1000,
	}
}

func TestBanditPPO(t *testing.T) {
	b := newBandit(t)
	value, err := NewScored(b.m, 1)
	if err != nil {
		t.Fatal(err)
	}
	b.policy(t, banditSettings(), value)
	b.check(t, banditBeta)
}

func TestBanditGRPO(t *testing.T) {
	b := newBandit(t)
	c := banditSettings()
	c.Group = 64
	b.policy(t, c, nil)
	b.check(t, banditBeta)
}

// DPO on pairs that Bradley and Terry's model labels, each as often as it is likely.
func TestBanditDPO(t *testing.T) {
	b := newBandit(t)
	var groups []Group
	for i := range b.ref {
		for j := range b.ref {
			for range int(math.Round(30000 * b.ref[i] * b.ref[j] * loss.Sigmoid(b.rewards[i]-b.rewards[j]))) {
				groups = append(groups, Group{Sequences: []Sequence{b.in.with([]int32{int32(i)}), b.in.with([]int32{int32(j)})}, Pairs: [][2]int{{0, 1}}})
			}
		}
	}
	c := Default()
	c.DPO = Preference{Loss: loss.DPO, Epochs: 2, BatchSize: 256, PairsOfPrompt: 1, LearningRate: 1e-2, Beta: banditBeta, Evaluations: 1}
	s, err := NewPreference(b.m, groups, groups[:1], c, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Trainer.Config.MinLearningRate = 0
	for range s.Trainer.Config.Steps {
		if _, err := s.Trainer.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	b.check(t, banditBeta)
}

// A policy that is still its reference has KL 0, ratio 1 and clips nothing; after some
// updates it isn't its reference any more.
func TestPolicyIsReference(t *testing.T) {
	b := newBandit(t)
	c := banditSettings()
	c.Epochs, c.MiniBatch, c.Episodes, c.Updates = 1, 32, 32, 12
	value, err := NewScored(b.m, 1)
	if err != nil {
		t.Fatal(err)
	}
	in := PolicyInputs{Model: b.m, Value: value, Prompts: []Instruction{b.in}, Generator: &Generator{Format: b.format, MaxTokens: 3}, Reward: byToken{b.rewards}, Seed: 1}
	s, err := NewPolicy(in, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	var m train.Metrics
	for i := range c.Updates {
		if m, err = s.Trainer.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
		v := m.Values
		if i == 0 && (math.Abs(v["objective/kl"]) > 1e-6 || v["objective/kl_full"] != 0 || math.Abs(v["val/ratio"]-1) > 1e-5 || v["policy/clipfrac_avg"] != 0) {
			t.Errorf("before any update KL is %g (exactly %g), the ratio %g, clipped %g", v["objective/kl"], v["objective/kl_full"], v["val/ratio"], v["policy/clipfrac_avg"])
		}
		if v["sampler/max_logprob_difference"] > samplerTolerance {
			t.Errorf("sampler and trainer differ by %g", v["sampler/max_logprob_difference"])
		}
	}
	if m.Values["objective/kl_full"] <= 0 {
		t.Errorf("after %d updates the exact KL is %g", c.Updates, m.Values["objective/kl_full"])
	}
}

// A policy learns from a reward that stays as it is: the value model, which starts from
// the reward model, is another one.
func TestRewardStays(t *testing.T) {
	b := newBandit(t)
	reward, err := NewScored(b.m, 1)
	if err != nil {
		t.Fatal(err)
	}
	score := reward.Parameter(model.ScoreHead + ".weight").Value.Float32s()
	before := slices.Clone(score)
	c := banditSettings()
	c.MiniBatch, c.Episodes, c.Updates = 32, 32, 4
	in := PolicyInputs{Model: b.m, Value: reward, Prompts: []Instruction{b.in}, Generator: &Generator{Format: b.format, MaxTokens: 3}, Reward: &RewardJudge{Model: reward, Deviation: 1}, Seed: 1}
	s, err := NewPolicy(in, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range s.Trainer.Config.Steps {
		if _, err := s.Trainer.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(score, before) {
		t.Error("the reward model was trained with the policy")
	}
}

// answered returns n random answers to one instruction, each of 1 to longest tokens.
func (w world) answered(t *testing.T, seed uint64, n, longest int) (list []Sequence) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	for range n {
		answer := make([]int32, 1+r.IntN(longest))
		for i := range answer {
			answer[i] = int32(r.IntN(8))
		}
		in := w.instruction(t, "abc")
		list = append(list, in.with(append(answer, w.format.End)))
	}
	return list
}

// A score doesn't depend on the other sequences of a batch, on their order or on padding.
func TestScoreAlone(t *testing.T) {
	w := newWorld(t, "abcdefgh ", 96)
	m, err := NewScored(w.model(t, 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	list := w.answered(t, 1, 40, 60)
	s := newScorer(m, true)
	all, err := s.scores(context.Background(), list)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		alone, err := s.scores(context.Background(), list[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(alone[0]-all[i]) > 1e-5 {
			t.Errorf("sequence %d has score %g among others and %g alone", i, all[i], alone[0])
		}
	}
	back := slices.Clone(list)
	slices.Reverse(back)
	reversed, err := s.scores(context.Background(), back)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(reversed)
	for i := range all {
		if math.Abs(reversed[i]-all[i]) > 1e-5 {
			t.Errorf("sequence %d: the order of the batch changes its score from %g to %g", i, all[i], reversed[i])
		}
	}
}

// Swapping better and worse mirrors accuracy and correlation with length stays.
func TestAccuracyMirrored(t *testing.T) {
	w := newWorld(t, "abcdefgh ", 32)
	m, err := NewScored(w.model(t, 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	in := w.instruction(t, "abc")
	var groups, mirrored []Group
	for i := range 20 {
		g := Group{Sequences: []Sequence{in.with([]int32{int32(i % 8), w.format.End}), in.with([]int32{int32((i + 3) % 8), 2, w.format.End})}, Pairs: [][2]int{{0, 1}}}
		groups = append(groups, g)
		g.Pairs = [][2]int{{1, 0}}
		mirrored = append(mirrored, g)
	}
	scores, err := scoresOf(context.Background(), newScorer(m, true), groups)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := Accuracy(groups, scores), Accuracy(mirrored, scores); math.Abs(a+b-1) > 1e-12 {
		t.Errorf("accuracies %g and %g of mirrored pairs", a, b)
	}
}

// A model that has learned demonstrations by heart ends its answers by itself.
func TestEnds(t *testing.T) {
	w := newWorld(t, "abcdefgh ", 32)
	var list []Sequence
	for i, text := range []string{"abc", "de", "fgh a", "b"} {
		in := w.instruction(t, "abcdefgh"[i:i+1])
		answer, err := w.format.Answer(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, in.with(answer))
	}
	m := w.model(t, 1)
	c := Default()
	c.SFT = Supervised{Epochs: 150, BatchSize: 4, LearningRate: 1e-2, Evaluations: 1}
	s, err := NewSFT(m, list, list, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range s.Trainer.Config.Steps {
		if _, err := s.Trainer.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	d := m.NewDecoder(len(list))
	for i, q := range list {
		if err := d.Append([]model.Input{{Sequence: i, Tokens: q.Tokens[:len(q.Tokens)-1]}}); err != nil {
			t.Fatal(err)
		}
		if p := math.Exp(float64(d.LogProb(i, w.format.End))); p < 0.9 {
			t.Errorf("after demonstration %d the end has probability %.3f", i, p)
		}
	}
}

// What trains must not know gold: neither this package nor what it uses imports it.
func TestGoldIsNotImported(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "tinygpt/align", "tinygpt/train", "tinygpt/finetune", "tinygpt/run").Output()
	if err != nil {
		t.Skip("go list: ", err)
	}
	for _, path := range strings.Fields(string(out)) {
		if strings.HasPrefix(path, "tinygpt/data/instruct/") || strings.HasPrefix(path, "tinygpt/study/") {
			t.Errorf("a trainer depends on %s", path)
		}
	}
}

func TestRepetitions(t *testing.T) {
	for _, c := range []struct {
		tokens    []int32
		again, of int
	}{
		{nil, 0, 0}, {[]int32{1, 2, 3}, 0, 0}, {[]int32{1, 2, 3, 4, 5}, 0, 2},
		{[]int32{1, 2, 3, 4, 1, 2, 3, 4}, 1, 5}, {[]int32{7, 7, 7, 7, 7, 7}, 2, 3},
	} {
		if again, of := repetitions(c.tokens); again != c.again || of != c.of {
			t.Errorf("%v: %d of %d runs of four were written before, expected %d of %d", c.tokens, again, of, c.again, c.of)
		}
	}
}

// A reward command can't fill the memory, nor hold this program by what it leaves behind.
func TestCommandJudge(t *testing.T) {
	defer func(before time.Duration) { leftBehind = before }(leftBehind)
	leftBehind = 100 * time.Millisecond
	list, answers := make([]Instruction, 2), make([]Answer, 2)
	for command, want := range map[string]string{
		"yes":                               "it writes more than 1050624 bytes for 2 answers",
		"yes >&2":                           "it writes more than",
		"echo '{\"score\": 1}'; sleep 60 &": "left a program behind",
		"echo broken >&2; exit 3":           "exit status 3: broken",
		"echo '{\"score\": 1}'":             "it wrote 1 scores for 2 answers",
	} {
		_, err := CommandJudge{command}.Scores(t.Context(), list, answers)
		expect.OneLine(t, err, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, err := (CommandJudge{"sleep 60 | cat"}).Scores(ctx, list, answers); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 30*time.Second {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
	scores, err := CommandJudge{"sed 's/.*/{\"score\": 2}/'"}.Scores(t.Context(), list, answers)
	if err != nil || !slices.Equal(scores, []float64{2, 2}) {
		t.Errorf("%v, %v", scores, err)
	}
}

// FuzzScores: what a reward command writes is refused in one line, or is a finite score for
// each line that isn't empty.
func FuzzScores(f *testing.F) {
	for _, s := range []string{`{"score": 1.5}`, `{"score": null}`, `{"score": 1e999}`, `{"score": "1"}`, `[]`, `null`, "\n\n", `{"score": -1}` + "\n" + `{"score": 2}`, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		scores, err := parseScores(strings.NewReader(text))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %v", err)
			}
			return
		}
		if most := strings.Count(text, "\n") + 1; len(scores) > most {
			t.Errorf("%d scores in %d lines", len(scores), most)
		}
		for _, x := range scores {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Errorf("a score of %g", x)
			}
		}
	})
}
