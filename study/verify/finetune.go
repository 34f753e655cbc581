package verify

import (
	"context"
	"fmt"
	"io/fs"

	"tinygpt/finetune"
	"tinygpt/model/safetensors"
)

// lambda is λ of the cases, the weight of L1 in L3 = L2 + λ·L1.
const lambda = 0.5

// finetune checks scores, losses and gradients of fine-tuning (Radford et al. 2018,
// section 3.2). The rows have the lengths of the case, and the head of score.safetensors
// reads the state of each row's last token. The objective is that of a fine-tuning.
func (r *reference) finetune(dir fs.FS) error {
	head, err := safetensors.OpenFS(dir, "score.safetensors")
	if err != nil {
		return err
	}
	setup, items, err := r.labelled(head)
	if err != nil {
		return err
	}
	none := finetune.Special{Start: -1, Delimiter: -1, Extract: -1} // the case has no such tokens
	batches := finetune.NewBatches(items, []int{r.length}, r.batch, 1, 1, 0)
	o := &finetune.Objective{Setup: setup, Special: none, Batches: batches}
	g := r.model.NewGraph(r.batch, r.length, true)
	l3 := o.Build(g)
	if err := g.Compile(l3); err != nil {
		return err
	}
	if err := o.Fill(g, 0, 0); err != nil {
		return err
	}
	if err := g.Run(); err != nil {
		return err
	}
	l1, l2 := o.Losses(g)
	for _, c := range []struct {
		name string
		got  float64
	}{{"ft.L1", value(l1)}, {"ft.L2", value(l2)}, {"ft.L3", value(l3)}} {
		if err := r.checkScalar(c.name, c.got, "absolute ≤ 1e-5", absolute(lossBound)); err != nil {
			return err
		}
	}
	if err := r.gradients("ft.grad.", r.model.GradNorm()); err != nil {
		return err
	}
	return r.scores(setup, items)
}

// labelled reads the head into the model and returns the rows as items.
func (r *reference) labelled(head *safetensors.File) (*finetune.Setup, []*finetune.Item, error) {
	bias, ok := head.Info("score.bias")
	if !ok {
		return nil, nil, fmt.Errorf("score.safetensors: no tensor score.bias [K]")
	}
	setup := &finetune.Setup{Config: finetune.Config{Task: "classification", Lambda: lambda}}
	for i := range bias.Len() {
		setup.Classes = append(setup.Classes, fmt.Sprint(i))
	}
	finetune.AddHead(r.model, setup, 0)
	for _, name := range []string{"score.weight", "score.bias"} {
		if err := head.Float32(name, r.model.Parameter(name).Value.Float32s()); err != nil {
			return nil, nil, err
		}
	}
	lengths, err := r.ints("lengths")
	if err != nil {
		return nil, nil, err
	}
	labels, err := r.ints("labels")
	if err != nil {
		return nil, nil, err
	}
	if len(lengths) != r.batch || len(labels) != r.batch {
		return nil, nil, fmt.Errorf("%s: %d lengths and %d labels: expected one of each for each of %d rows", caseFile, len(lengths), len(labels), r.batch)
	}
	var items []*finetune.Item
	for b, n := range lengths {
		if n < 1 || int(n) > r.length || labels[b] < 0 || int(labels[b]) >= len(setup.Classes) {
			return nil, nil, fmt.Errorf("%s: row %d has length %d and label %d: expected 1 to %d and 0 to %d", caseFile, b, n, labels[b], r.length, len(setup.Classes)-1)
		}
		row := r.tokens[b*r.length:]
		items = append(items, &finetune.Item{Sequences: [][]int32{row[:n]}, Class: labels[b]})
	}
	return setup, items, nil
}

// scores checks the predictor's scores of the rows.
func (r *reference) scores(setup *finetune.Setup, items []*finetune.Item) error {
	p := finetune.NewPredictor(r.model, setup, nil)
	scores, err := p.Scores(context.Background(), items)
	if err != nil {
		return err
	}
	var got []float64
	for _, s := range scores {
		got = append(got, widen(s)...)
	}
	return r.check("ft.scores", got, "absolute ≤ 1e-5", absolute(scoreBound))
}
