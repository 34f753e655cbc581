// Package verify recomputes reference cases: small models with the logits, loss, gradients,
// optimiser steps and greedy text that another implementation has computed for them in
// float64.
//
// A case is a folder with config.json and model.safetensors as Hugging Face transformers
// writes them, and case.safetensors with inputs and expected values. It has
// score.safetensors, the head of a fine-tuning, if fine-tuning is part of the case. Two
// cases, of GPT-1's and GPT-2's architecture, are part of the binary.
package verify

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	G "gorgonia.org/gorgonia"

	"tinygpt/internal/userfile"
	"tinygpt/model"
	"tinygpt/model/safetensors"
	"tinygpt/sample"
	"tinygpt/train"
)

//go:embed testdata
var embedded embed.FS

// Embedded returns the cases in the binary.
func Embedded() []fs.FS {
	var cases []fs.FS
	for _, name := range []string{"gpt1-tiny", "gpt2-tiny"} {
		sub, err := fs.Sub(embedded, "testdata/"+name)
		if err != nil {
			panic(err)
		}
		cases = append(cases, sub)
	}
	return cases
}

// Folder returns the case in a folder of the disk. It fails if there is no such folder.
func Folder(dir string) (fs.FS, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		absolute, _ := filepath.Abs(dir)
		return nil, fmt.Errorf("%s: no such folder: expected one with config.json, model.safetensors and case.safetensors", absolute)
	}
	return userfile.Folder(dir), nil
}

// Check is the comparison of one quantity.
type Check struct {
	Name string
	// Absolute is the largest difference of an element. Relative is the L2 norm of the
	// differences over that of the expected values.
	Absolute, Relative float64
	Bound              string // what the check demands, in words
	Pass               bool
}

// Bounds of float32 arithmetic against float64.
const (
	logitsBound = 1e-4 // absolute
	lossBound   = 1e-5 // absolute
	scoreBound  = 1e-5 // absolute, of classifier scores
	gradBound   = 1e-4 // L2 norm of the differences, as a part of the gradient's norm
	gradFloor   = 1e-4 // the least norm that counts for it, as a part of the norm of all gradients
	stepsBound  = 1e-4 // absolute, of losses
	finalBound  = 1e-2 // relative L2, of parameters after ten steps
)

// reference is an open case.
type reference struct {
	model    *model.Model
	expected *safetensors.File
	tokens   []int32
	target   []int32
	batch    int
	length   int // T
	checks   []Check
}

// Run recomputes what a case has expected values for: the forward pass if there are
// lm.logits, loss and gradients if the metadata has lm.loss, an optimiser if there is
// adamw.loss or muon.loss, fine-tuning if there are ft.scores, and the continuation if there
// are greedy.tokens. It fails if the case can't be read or has none of them; a quantity that
// is off is no error but a Check that doesn't pass.
func Run(dir fs.FS) ([]Check, error) {
	r := &reference{}
	if err := r.load(dir); err != nil {
		return nil, err
	}
	_, forward := r.expected.Info("lm.logits")
	_, backward := r.expected.Metadata()["lm.loss"]
	_, adamw := r.expected.Info("adamw.loss")
	_, muon := r.expected.Info("muon.loss")
	_, finetuned := r.expected.Info("ft.scores")
	_, greedy := r.expected.Info("greedy.tokens")
	for _, part := range []struct {
		present bool
		run     func() error
	}{
		{forward, r.forward}, {backward, r.backward},
		{adamw, func() error { return r.optimiser(train.AdamWName) }}, {muon, func() error { return r.optimiser(train.MuonName) }},
		{finetuned, func() error { return r.finetune(dir) }}, {greedy, r.greedy},
	} {
		if !part.present {
			continue
		}
		if err := r.load(dir); err != nil { // each part starts from the case's weights
			return nil, err
		}
		if err := part.run(); err != nil {
			return nil, err
		}
	}
	if len(r.checks) == 0 {
		return nil, fmt.Errorf("%s: no lm.logits, lm.loss, adamw.loss, muon.loss, ft.scores or greedy.tokens in it to compare with", caseFile)
	}
	return r.checks, nil
}

const caseFile = "case.safetensors"

// load reads the case's weights and inputs.
func (r *reference) load(dir fs.FS) (err error) {
	if r.model, _, err = model.ReadHuggingFace(dir, nil); err != nil {
		return err
	}
	r.model.SetDropout(0)
	if r.expected == nil {
		if r.expected, err = safetensors.OpenFS(dir, caseFile); err != nil {
			return fmt.Errorf("a case needs %s: %w", caseFile, err)
		}
	}
	info, ok := r.expected.Info("tokens")
	if !ok || len(info.Shape) != 2 {
		return fmt.Errorf("%s: it has no tensor tokens [B, T]", caseFile)
	}
	r.batch, r.length = info.Shape[0], info.Shape[1]
	if r.batch < 1 || r.length < 1 || r.length > r.model.Config.Context {
		return fmt.Errorf("%s: tokens have shape %v: expected at least one row of 1 to %d, the model's context", caseFile, info.Shape, r.model.Config.Context)
	}
	if r.tokens, err = r.ints("tokens"); err != nil {
		return err
	}
	r.target, err = r.ints("targets")
	if err == nil && len(r.target) != len(r.tokens) {
		err = fmt.Errorf("%s: %d targets: expected %d, one for each token", caseFile, len(r.target), len(r.tokens))
	}
	return err
}

func (r *reference) ints(name string) ([]int32, error) { return read(r, name, r.expected.Int32) }

func (r *reference) floats(name string) ([]float64, error) { return read(r, name, r.expected.Float64) }

// read returns the values of a tensor of the case. into writes them into its argument.
func read[T any](r *reference, name string, into func(name string, values []T) error) ([]T, error) {
	info, ok := r.expected.Info(name)
	if !ok {
		return nil, fmt.Errorf("%s: no tensor %q", caseFile, name)
	}
	values := make([]T, info.Len())
	return values, into(name, values)
}

// scalar returns a number of the case's metadata.
func (r *reference) scalar(name string) (float64, error) {
	x, err := strconv.ParseFloat(r.expected.Metadata()[name], 64)
	if err != nil {
		return 0, fmt.Errorf("%s: metadata %s is %q: expected a number", caseFile, name, r.expected.Metadata()[name])
	}
	return x, nil
}

// compare adds a check of got against want. holds reports whether the errors of the check are
// within its bound.
func (r *reference) compare(name string, got, want []float64, bound string, holds func(c Check) bool) {
	c := Check{Name: name, Bound: bound}
	if len(got) != len(want) {
		c.Bound = fmt.Sprintf("%d values, expected %d", len(got), len(want))
		c.Absolute, c.Relative = math.Inf(1), math.Inf(1)
		r.checks = append(r.checks, c)
		return
	}
	var diff2, want2 float64
	for i := range want {
		d := math.Abs(got[i] - want[i])
		if !(d <= c.Absolute) { // NaN too
			c.Absolute = d
		}
		diff2 += d * d
		want2 += want[i] * want[i]
	}
	if diff2 != 0 {
		c.Relative = math.Sqrt(diff2 / want2)
	}
	c.Pass = holds(c)
	r.checks = append(r.checks, c)
}

// check compares got with the case's tensor of that name.
func (r *reference) check(name string, got []float64, bound string, holds func(c Check) bool) error {
	want, err := r.floats(name)
	if err != nil {
		return err
	}
	r.compare(name, got, want, bound, holds)
	return nil
}

// checkScalar compares got with a number of the case's metadata.
func (r *reference) checkScalar(name string, got float64, bound string, holds func(c Check) bool) error {
	want, err := r.scalar(name)
	if err != nil {
		return err
	}
	r.compare(name, []float64{got}, []float64{want}, bound, holds)
	return nil
}

func absolute(bound float64) func(Check) bool {
	return func(c Check) bool { return c.Absolute <= bound }
}

func relative(bound float64) func(Check) bool {
	return func(c Check) bool { return c.Relative <= bound }
}

// forward checks hidden states and logits.
func (r *reference) forward() error {
	g := r.model.NewGraph(r.batch, r.length, false)
	logits := g.Logits()
	if err := g.Compile(nil); err != nil {
		return err
	}
	copy(g.Tokens, r.tokens)
	if err := g.Run(); err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		node *G.Node
	}{{"lm.hidden", g.Hidden}, {"lm.logits", logits}} {
		if err := r.check(c.name, widen(c.node.Value().Data().([]float32)), "absolute ≤ 1e-4", absolute(logitsBound)); err != nil {
			return err
		}
	}
	return nil
}

// training returns a compiled graph of the language-model loss on the case's batch.
func (r *reference) training() (*model.Graph, *G.Node, error) {
	g := r.model.NewGraph(r.batch, r.length, true)
	targets, backing := g.Indices("targets", len(r.target))
	loss := g.CrossEntropy(g.Logits(), targets)
	copy(g.Tokens, r.tokens)
	copy(backing, r.target)
	return g, loss, g.Compile(loss)
}

// value returns the loss of a graph that has run.
func value(loss *G.Node) float64 { return float64(loss.Value().Data().(float32)) }

// backward checks the loss and every gradient.
func (r *reference) backward() error {
	g, loss, err := r.training()
	if err != nil {
		return err
	}
	if err := g.Run(); err != nil {
		return err
	}
	if err := r.checkScalar("lm.loss", value(loss), "absolute ≤ 1e-5", absolute(lossBound)); err != nil {
		return err
	}
	wantNorm, err := r.scalar("lm.grad_norm")
	if err != nil {
		return err
	}
	r.compare("lm.grad_norm", []float64{r.model.GradNorm()}, []float64{wantNorm}, "relative ≤ 1e-4", relative(gradBound))
	return r.gradients("lm.grad.", wantNorm)
}

// gradients checks the gradient of every parameter. total is the norm of all together.
func (r *reference) gradients(prefix string, total float64) error {
	for _, p := range r.model.Parameters {
		want, err := r.floats(prefix + p.Name)
		if err != nil {
			return err
		}
		norm := max(l2(want), gradFloor*total)
		r.compare(prefix+p.Name, widen(p.Grad.Float32s()), want, "L2 ≤ 1e-4 of its norm", func(c Check) bool {
			return c.Relative*l2(want) <= gradBound*norm
		})
	}
	return nil
}

// optimiser checks ten steps of an optimiser: the losses, and the parameters at the end.
func (r *reference) optimiser(name string) error {
	g, loss, err := r.training()
	if err != nil {
		return err
	}
	config := train.Config{
		Optimiser: name, Steps: 10, WarmupSteps: 3, LearningRate: 1e-2, MinLearningRate: 1e-3,
		Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, WeightDecay: 0.1, GradClip: 1,
	}
	optimiser, groups := train.NewOptimiser(config), config.Groups(r.model.Parameters, nil)
	var losses, rates []float64
	for step := range config.Steps {
		r.model.ZeroGrad()
		if err := g.Run(); err != nil {
			return err
		}
		losses = append(losses, value(loss))
		rates = append(rates, config.LearningRateAt(step))
		optimiser.Update(groups, train.Update{
			Step: step, LearningRate: rates[step], GradScale: train.ClipScale(r.model.GradNorm(), config.GradClip),
		})
	}
	if name == train.AdamWName { // the case has the schedule once, as it is the same for all
		if err := r.check("adamw.lr", rates, "absolute ≤ 1e-12", absolute(1e-12)); err != nil {
			return err
		}
	}
	if err := r.check(name+".loss", losses, "absolute ≤ 1e-4", absolute(stepsBound)); err != nil {
		return err
	}
	for _, p := range r.model.Parameters {
		want, err := r.floats(name + ".final." + p.Name)
		if err != nil {
			return err
		}
		got := widen(p.Value.Float32s())
		if strings.HasSuffix(p.Name, "attn.c_attn.bias") {
			// What is added to all keys cancels in the softmax, so the gradient of the
			// keys' bias is zero but for rounding, which Adam turns into steps of full size.
			got, want = withoutKeys(got), withoutKeys(want)
		}
		r.compare(name+".final."+p.Name, got, want, "relative ≤ 1e-2", relative(finalBound))
	}
	return nil
}

// withoutKeys cuts the middle third from a bias of queries, keys and values.
func withoutKeys(x []float64) []float64 {
	return slices.Concat(x[:len(x)/3], x[2*len(x)/3:])
}

// greedy checks the likeliest continuation, past the end of the context.
func (r *reference) greedy() error {
	want, err := r.ints("greedy.tokens")
	if err != nil {
		return err
	}
	const prompt = 5
	if len(want) < prompt || r.length < prompt {
		return fmt.Errorf("%s: tokens has rows of %d, greedy.tokens has %d: expected at least %d of each, as greedy.tokens goes on from the first %[4]d tokens", caseFile, r.length, len(want), prompt)
	}
	got := slices.Clone(r.tokens[:prompt])
	o := sample.Default()
	o.Temperature, o.MaxTokens = 0, len(want)-prompt
	texts, err := sample.Generate(context.Background(), r.model.NewDecoder(1), nil, []sample.Request{{Prompt: got, Options: o}})
	if err != nil {
		return err
	}
	r.compare("greedy.tokens", widen(append(got, texts[0].Tokens...)), widen(want), "equal", absolute(0))
	return nil
}

func widen[T int32 | float32](x []T) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func l2(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}
