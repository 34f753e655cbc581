package alignment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tinygpt/align"
	"tinygpt/configs"
	"tinygpt/data/instruct"
	"tinygpt/data/story"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model"
	"tinygpt/model/modeltest"
	"tinygpt/run"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// baseRun makes a run of a small model that was never trained.
func baseRun(t *testing.T, dir string, width, vocabulary int) string {
	t.Helper()
	var texts []string
	for i := range 60 {
		texts = append(texts, story.English.Generate(1, i).Text)
	}
	tok, err := tokenizer.TrainBPE(slices.Values(texts), vocabulary)
	if err != nil {
		t.Fatal(err)
	}
	c := configs.Default()
	c.Data.StoriesBytes = 60000
	c.Model = model.Config{Arch: model.GPT2, Layers: 1, Heads: 2, Width: width, Context: 320, VocabSize: tok.VocabSize()}
	m := modeltest.New(t, c.Model, 1)
	path := filepath.Join(dir, "base")
	if _, err := run.Create(path, "", run.Text, c, tok, m); err != nil {
		t.Fatal(err)
	}
	return path
}

// quick are settings for a test.
func quick() Settings {
	s := Settings{Config: align.Default()}
	s.World = align.World{Scale: 0.002, Seed: 1, MaxTokens: 12}
	s.SFT = align.Supervised{Epochs: 3, BatchSize: 8, LearningRate: 1e-2, Evaluations: 1}
	s.Reward.MostAnswers = 5
	s.Reward.LearningRate = 1e-2
	s.PPO.Updates, s.PPO.Episodes, s.PPO.MiniBatch, s.PPO.EvalEvery, s.PPO.LearningRate = 3, 8, 4, 3, 1e-3
	s.DPO.Evaluations = 1
	s.Evaluation = align.Evaluation{Prompts: 12, During: 4}
	s.Force = true // what so small a model learns is no better than its words
	return s
}

func course(t *testing.T, dir, base string, s Settings, report train.Report) (*Course, *bytes.Buffer) {
	t.Helper()
	s.From = base
	out := &bytes.Buffer{}
	return &Course{Dir: dir, Settings: s, Out: out, Report: func() train.Report { return report }}, out
}

// ofSteps passes on the steps of the training that has the given number of them.
type ofSteps struct {
	train.Report
	steps int
}

func (r ofSteps) Step(m train.Metrics, p train.Progress) {
	if p.Steps == r.steps {
		r.Report.Step(m, p)
	}
}

// All steps from a model to the comparison; a course that is stopped within an update of
// PPO ends with the same weights.
func TestCourse(t *testing.T) {
	dir := t.TempDir()
	base := baseRun(t, dir, 16, 500)
	whole, out := course(t, filepath.Join(dir, "whole"), base, quick(), train.Silent{})
	if err := whole.Run(context.Background()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"held-out prompts", "right about the validation pairs", "the best that can be", "sft", "ppo", "dpo", "base"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	for _, name := range []string{"summary.json", "answers.txt", "steps.svg", "preferred.svg", "ppo/loss.svg", "ppo/best.safetensors", "reward/results.json"} {
		if len(expect.File(t, whole.Dir, name)) == 0 {
			t.Errorf("%s is empty", name)
		}
	}

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	stopped, _ := course(t, filepath.Join(dir, "stopped"), base, quick(), ofSteps{train.StopAt(3, stop), 6})
	if err := stopped.Run(ctx); !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("stopped: %v", err)
	}
	other, _ := course(t, stopped.Dir, base, quick(), train.Silent{})
	other.Settings.World.Seed = 2
	expect.Error(t, other.Run(context.Background()), "was begun with other settings (see sft/config.yaml in it)")
	other, _ = course(t, stopped.Dir, filepath.Join(whole.Dir, "sft"), quick(), train.Silent{})
	expect.Error(t, other.Run(context.Background()), "was begun with other settings")
	// What only says where the course is goes on with the settings that it began with.
	stopped.Settings, stopped.Kept = Settings{Config: align.Default()}, true
	stopped.Report = func() train.Report { return train.Silent{} }
	if err := stopped.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"sft", "reward", "ppo", "dpo"} {
		a, b := weightsOf(t, filepath.Join(whole.Dir, kind)), weightsOf(t, filepath.Join(stopped.Dir, kind))
		if !slices.Equal(a, b) {
			t.Errorf("%s: a course that was stopped ends with other weights", kind)
		}
	}
	t.Run("metrics", func(t *testing.T) { checkMetrics(t, whole.Dir) })
	t.Run("reward", func(t *testing.T) { checkReward(t, whole.Dir) })
	t.Run("a larger reward model", func(t *testing.T) { checkLarger(t, whole.Dir) })
	t.Run("refusals", func(t *testing.T) { checkRefusals(t, whole.Dir) })
	t.Run("pre-training mixed in", func(t *testing.T) {
		s := quick()
		s.From, s.RewardFrom = filepath.Join(whole.Dir, "sft"), filepath.Join(whole.Dir, "reward")
		s.PPO.Updates, s.PPO.EvalEvery, s.PPO.Pretraining, s.PPO.Average = 1, 1, 1, 0.9
		tr, err := Start(context.Background(), run.PPO, s, filepath.Join(dir, "ptx"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := tr.Train(context.Background()); err != nil {
			t.Fatal(err)
		}
		all, err := tr.Run.Metrics()
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, m := range all {
			if l, ok := m.Values["ptx/loss"]; ok {
				found = true
				if math.Abs(l-math.Log(500)) > 1.5 { // so little was learned
					t.Errorf("the loss of the pre-training text is %g", l)
				}
			}
		}
		if expect.File(t, tr.Run.Dir, align.AverageCheckpoint); !found {
			t.Error("no ptx/loss")
		}
	})
	t.Run("surprise", func(t *testing.T) { checkSurprise(t, whole.Dir) })
	t.Run("best of n", func(t *testing.T) {
		list, err := BestOfReward(context.Background(), filepath.Join(whole.Dir, "reward"), 4, 4, func(string, int, int) {})
		if err != nil || len(list) != 3 || list[2].Proxy < list[0].Proxy {
			t.Errorf("%+v, %v", list, err)
		}
	})
	t.Run("overoptimise", func(t *testing.T) {
		o := Overoptimisation{Reward: filepath.Join(whole.Dir, "reward"), Prompts: []int{5, 20}, BestOf: 4, Held: 4, Updates: 2, Seeds: 1}
		to := filepath.Join(dir, "over")
		points, err := o.Run(context.Background(), to, func(string, int, int) {}, func(string) {})
		if err != nil || len(points) != 2*(3+2) {
			t.Fatalf("%d points, %v", len(points), err)
		}
		ShowOveroptimisation(io.Discard, points)
		if err := DrawOveroptimisation(to, points); err != nil {
			t.Error(err)
		}
		again, err := o.Run(context.Background(), to, func(string, int, int) {}, func(string) { t.Error("what is done is done again") })
		if err != nil || !slices.Equal(again, points) {
			t.Errorf("run again: %v", err)
		}
		o.Updates = 3
		_, err = o.Run(context.Background(), to, func(string, int, int) {}, func(string) {})
		expect.Error(t, err, "holds an experiment with other settings, comparisons or weights (see overoptimise.yaml in it)")
	})
}

// A reward model with surprise reads what its run keeps, is resumed to the same bits, and
// rewards a policy whose tokenizer lacks its types.
func checkSurprise(t *testing.T, whole string) {
	dir := t.TempDir()
	s := quick()
	s.From, s.Reward.Surprise = filepath.Join(whole, "sft"), true
	made := func(name string, stop int) string {
		to := filepath.Join(dir, name)
		tr, err := Start(context.Background(), run.Reward, s, to, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(context.Background())
		defer end()
		tr.Session.Trainer.Report = train.StopAt(stop, end)
		_, _, err = tr.Train(ctx)
		if errors.Is(err, train.ErrInterrupted) {
			if tr, _, err = Resume(context.Background(), to, "", nil); err == nil {
				_, _, err = tr.Train(context.Background())
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	at, again := made("reward", 1<<30), made("again", 2)
	judge, measures, err := OpenReward(at)
	if err != nil || judge.Reader == nil {
		t.Fatalf("no reader: %v", err)
	}
	other, _, err := OpenReward(again)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range judge.Model.Parameters {
		if !slices.Equal(p.Value.Float32s(), other.Model.Parameters[i].Value.Float32s()) {
			t.Errorf("%s: a run that was stopped ends with other weights", p.Name)
		}
	}
	// What is measured is what the judge says: demonstrations score 0, if they are read.
	checkReward(t, dir)
	judge.Reader = nil
	s.RewardFrom = at
	r, err := run.Open(filepath.Join(whole, "sft"))
	if err != nil {
		t.Fatal(err)
	}
	format, err := instruct.NewFormat(r.Tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	score, err := Scorer(at)
	if err != nil {
		t.Fatal(err)
	}
	talk := []instruct.Message{{Role: instruct.User, Content: "Who ran?"}}
	prompt, err := format.Prompt(talk)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := format.Answer("Mia ran.")
	if err != nil {
		t.Fatal(err)
	}
	read, err := score(talk, "Mia ran.")
	if err != nil {
		t.Fatal(err)
	}
	unread, err := judge.Scores(context.Background(), []align.Instruction{{Messages: talk, Tokens: prompt}}, []align.Answer{{Tokens: answer, Ended: true}})
	if err != nil || unread[0] == read || measures.Pairs == 0 {
		t.Errorf("read %v, unread %v, %v", read, unread, err)
	}
	s.Reward.Surprise, s.PPO.Updates = false, 1
	tr, err := Start(context.Background(), run.PPO, s, filepath.Join(dir, "ppo"), nil)
	if err == nil {
		_, _, err = tr.Train(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(at, readerFile)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenReward(at); err == nil || !strings.Contains(err.Error(), readerFile) {
		t.Errorf("without its reader: %v", err)
	}
}

func weightsOf(t *testing.T, dir string) (weights []float32) {
	t.Helper()
	r, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := r.Model("last")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Parameters {
		weights = append(weights, p.Value.Float32s()...)
	}
	return weights
}

// Measures have trl's names, and ours besides.
func checkMetrics(t *testing.T, dir string) {
	for kind, names := range map[string][]string{
		"ppo": {"objective/kl", "objective/kl_full", "objective/entropy", "objective/non_score_reward", "objective/rlhf_reward", "objective/scores", "objective/gold",
			"policy/approxkl_avg", "policy/clipfrac_avg", "policy/entropy_avg", "loss/policy_avg", "loss/value_avg", "val/clipfrac_avg", "val/ratio", "val/ratio_var",
			"val/num_eos_tokens", "val/var_explained", "lr", "episode", "score/length_correlation", "sampler/max_logprob_difference"},
		"reward": {"accuracy", "margin", "min_reward", "mean_reward", "max_reward"},
		"dpo":    {"rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected"},
	} {
		r, err := run.Open(filepath.Join(dir, kind))
		if err != nil {
			t.Fatal(err)
		}
		all, err := r.Metrics()
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]float64{}
		first := map[string]float64{}
		for _, m := range all {
			for name, x := range m.Values {
				if _, ok := seen[name]; !ok {
					first[name] = x
				}
				seen[name] = x
			}
		}
		for _, name := range names {
			if _, ok := seen[name]; !ok {
				t.Errorf("%s: no %s in metrics.jsonl", kind, name)
			}
		}
		if kind == "ppo" && (first["objective/kl_full"] != 0 || math.Abs(first["objective/kl"]) > 1e-5 || seen["objective/kl_full"] <= 0) {
			t.Errorf("KL begins with %g (drawn %g) and ends with %g: expected 0, and more than that", first["objective/kl_full"], first["objective/kl"], seen["objective/kl_full"])
		}
		if kind == "reward" && math.Abs(first["margin"]) > 1 {
			t.Errorf("a new reward model has margin %g", first["margin"])
		}
	}
}

// Demonstrations score 0 on average; the comparisons are what anybody can read.
func checkReward(t *testing.T, dir string) {
	judge, measures, err := OpenReward(filepath.Join(dir, "reward"))
	if err != nil {
		t.Fatal(err)
	}
	if o := measures.Others; math.Abs(o["labelers_agree"]-0.726) > 1e-6 || o["ceiling"] < 0.726 || o["ceiling"] > 1 {
		t.Errorf("labelers agree on %g, the ceiling is %g", o["labelers_agree"], o["ceiling"])
	}
	r, err := run.Open(filepath.Join(dir, "reward"))
	if err != nil {
		t.Fatal(err)
	}
	format, err := instruct.NewFormat(r.Tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	s := quick()
	d := &source{settings: &s, format: format, context: judge.Model.Config.Context}
	var list []align.Instruction
	var answers []align.Answer
	for _, p := range d.prompts(instruct.SFT, true) {
		in, err := d.instructions([]instruct.Prompt{p})
		if err != nil {
			t.Fatal(err)
		}
		if len(in) == 0 {
			continue
		}
		tokens, err := format.Answer(p.Demonstration)
		if err != nil {
			t.Fatal(err)
		}
		list, answers = append(list, in[0]), append(answers, align.Answer{Tokens: tokens, Text: p.Demonstration, Ended: true})
	}
	judge.Deviation = 1
	scores, err := judge.Scores(context.Background(), list, answers)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, x := range scores {
		sum += x
	}
	if mean := sum / float64(len(scores)); math.Abs(mean) > 1e-4 {
		t.Errorf("demonstrations score %g on average, expected 0", mean)
	}
	score, err := Scorer(filepath.Join(dir, "reward"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := score(list[0].Messages, answers[0].Text)
	if err != nil || math.Abs(got*measures.Deviation-scores[0]) > 1e-4 {
		t.Errorf("Scorer gives %g deviations of %g, expected %g: %v", got, measures.Deviation, scores[0], err)
	}
	if _, err := score(list[0].Messages, strings.Repeat("Mia ", 400)); err == nil {
		t.Error("an answer that is longer than the context has a score")
	}
	examples, err := instruct.Read(filepath.Join(dir, "reward", comparisonsFile))
	if err != nil || len(examples) < 50 || len(examples[0].Answers) < 4 {
		t.Errorf("%d comparisons, %v", len(examples), err)
	}
}

// A reward model may be larger than the policy whose answers it compares; a policy with
// another tokenizer is refused.
func checkLarger(t *testing.T, dir string) {
	train := func(kind run.Kind, s Settings) *Training {
		t.Helper()
		tr, err := Start(context.Background(), kind, s, fixture.NewPath(t, string(kind)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := tr.Train(context.Background()); err != nil {
			t.Fatal(err)
		}
		return tr
	}
	s := quick()
	s.From = baseRun(t, t.TempDir(), 32, 500)
	larger := train(run.SFT, s)
	s.From, s.AnswersFrom = larger.Run.Dir, filepath.Join(dir, "sft")
	reward := train(run.Reward, s)
	if !bytes.Equal(expect.File(t, reward.Run.Dir, comparisonsFile), expect.File(t, dir, "reward", comparisonsFile)) {
		t.Error("the answers to compare aren't those of the smaller model")
	}
	s.From, s.AnswersFrom, s.RewardFrom = filepath.Join(dir, "sft"), "", reward.Run.Dir
	s.PPO.Updates = 1
	train(run.PPO, s)
	list, err := BestOfReward(context.Background(), reward.Run.Dir, 4, 2, func(string, int, int) {})
	if err != nil || len(list) != 2 {
		t.Errorf("best of n: %v, %v", list, err)
	}

	s.From = baseRun(t, t.TempDir(), 16, 400)
	s.From = train(run.SFT, s).Run.Dir
	_, err = Start(context.Background(), run.PPO, s, fixture.NewPath(t, "x"), nil)
	expect.Error(t, err, "different tokenizers")
}

// What can't go well is refused with what to do.
func checkRefusals(t *testing.T, dir string) {
	path := filepath.Join(dir, "reward", resultsFile)
	text := expect.File(t, path)
	defer fixture.Write(t, path, text)
	bad, err := json.Marshal(align.RewardMeasures{Accuracy: 0.55, WordsOnly: 0.58, Deviation: 1})
	if err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, path, bad)
	s := quick()
	s.From, s.RewardFrom, s.Force = filepath.Join(dir, "sft"), filepath.Join(dir, "reward"), false
	to := fixture.NewPath(t, "ppo")
	_, err = Start(context.Background(), run.PPO, s, to, nil)
	expect.Error(t, err, "--force")
	expect.NoFile(t, to)
	s.From = filepath.Join(dir, "reward")
	if _, err := Start(context.Background(), run.PPO, s, fixture.NewPath(t, "x"), nil); err == nil {
		t.Error("PPO starts from a reward model")
	}
}

// Own data: demonstrations, comparisons, prompts with a command as the reward.
func TestOwnData(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		fixture.Write(t, path, text)
		return path
	}
	s := quick()
	s.From = baseRun(t, dir, 16, 500)
	train1 := func(kind run.Kind, s Settings) string {
		t.Helper()
		tr, err := Start(context.Background(), kind, s, filepath.Join(dir, string(kind)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := tr.Train(context.Background()); err != nil {
			t.Fatal(err)
		}
		return tr.Run.Dir
	}
	s.Data = []string{write("sft.jsonl", strings.Repeat(`{"prompt": "Who has the ball?", "response": "Mia"}`+"\n"+`{"instruction": "Say it.", "output": "Tom"}`+"\n", 8))}
	demonstrations := s.Data[0]
	s.From = train1(run.SFT, s)
	resume := func(dir, want string) {
		t.Helper()
		_, _, err := Resume(context.Background(), dir, "", nil)
		if want == "" && err == nil {
			return
		}
		expect.OneLine(t, err, want)
	}
	resume(s.From, "")
	before := expect.File(t, demonstrations)
	fixture.Write(t, demonstrations, bytes.Replace(before, []byte("Mia"), []byte("Max"), 1))
	resume(s.From, "sft: the examples are not those that the run began with")
	fixture.Write(t, demonstrations, before)
	s.Data = []string{write("pairs.jsonl", strings.Repeat(`{"prompt": "Who has the ball?", "chosen": "Mia", "rejected": "a ball"}`+"\n"+`{"messages": [{"role": "user", "content": "Say it."}], "answers": ["Tom", "no", "x"], "ranks": [0, 1, 1]}`+"\n", 8))}
	reward := train1(run.Reward, s)
	dpo := train1(run.DPO, s)
	resume(dpo, "")
	s.Data = []string{write("prompts.jsonl", strings.Repeat(`{"prompt": "Who has the ball?"}`+"\n"+`{"prompt": "Say it."}`+"\n", 4))}
	s.RewardFrom = CommandReward + `while read -r line; do echo '{"score": 1}'; done`
	rewarded := train1(run.PPO, s)
	// A folder from somebody else may name any command: it runs if the user names it too.
	resume(rewarded, "if you trust it, go on with `gpt align ppo --resume --run "+rewarded+" --reward-command 'while read")
	_, _, err := Resume(context.Background(), rewarded, "true", nil)
	expect.OneLine(t, err, "if you trust it")
	_, _, err = Resume(context.Background(), dpo, "true", nil)
	expect.OneLine(t, err, "leave out --reward-command")
	again, steps, err := Resume(context.Background(), rewarded, s.RewardFrom[len(CommandReward):], nil)
	if err != nil || steps == 0 || !slices.Contains(again.Again(), s.RewardFrom[len(CommandReward):]) {
		t.Errorf("step %d, %v", steps, err)
	}
	s.RewardFrom = CommandReward + `echo '{"score": 1}'`
	s.GRPO.Updates, s.GRPO.Episodes, s.GRPO.Group, s.GRPO.MiniBatch = 1, 8, 4, 8
	tr, err := Start(context.Background(), run.GRPO, s, filepath.Join(dir, "bad"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = tr.Train(context.Background())
	expect.Error(t, err, "1 scores for 8 answers")
	s.RewardFrom = reward
	grpo := train1(run.GRPO, s)
	resume(grpo, "")
	// A policy that is held to other weights than it began with is another policy.
	fixture.Write(t, filepath.Join(s.From, train.BestCheckpoint), expect.File(t, dpo, train.BestCheckpoint))
	for _, dir := range []string{dpo, grpo} {
		resume(dir, "the weights that the step starts from or is rewarded by are not those that the run began with")
	}
	s.Data = []string{write("broken.jsonl", `{"prompt": 1}`)}
	_, err = Start(context.Background(), run.SFT, s, filepath.Join(dir, "x"), nil)
	expect.Error(t, err, "broken.jsonl:1")
}

func TestFit(t *testing.T) {
	var d, r []float64
	for i := range 12 {
		x := 0.2 + 0.3*float64(i)
		d, r = append(d, x), append(r, x*(0.7-0.2*math.Log(x)))
	}
	f, ok := fit(d, r, math.Log)
	if !ok || math.Abs(f.Alpha-0.7) > 1e-9 || math.Abs(f.Beta-0.2) > 1e-9 || f.AlphaError > 1e-6 {
		t.Errorf("%+v, want α 0.7 and β 0.2 exactly", f)
	}
}
