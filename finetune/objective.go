package finetune

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/model"
	"tinygpt/model/op"
	"tinygpt/train"
)

// Objective is L3 = L2 + λ·L1 over the items of an update (Radford et al. 2018, equation
// 5): a train.Objective with a graph for each length of Batches. L2 is the mean over the
// update's labels and L1 the mean over its tokens, however many batches the update is divided
// into: each batch counts by its share of them.
type Objective struct {
	Setup   *Setup
	Special Special
	Batches *Batches

	graphs map[*model.Graph]*inputs
	labels labelLoss
}

// LabelLoss is the name of L2 among the measures of an update, if its loss has L1 in it too. The
// loss of an evaluation is L2 alone.
const LabelLoss = "loss/labels"

// labelLoss adds up L2 over the batches of an update. The L2 of a batch is known when the next
// one is filled.
type labelLoss struct {
	step int // of the update, plus 1
	sum  float64
	last *inputs // of the batch that was filled last; nil if its L2 was added
}

// take adds the L2 of the batch that was filled last, which has run.
func (l *labelLoss) take() {
	if l.last == nil {
		return
	}
	if v, ok := l.last.l2.Value().(*G.F32); ok {
		l.sum += float64(*v) * float64(*l.last.weight2)
	}
	l.last = nil
}

// Values returns L2 of the last update as LabelLoss, or nil if the loss has no L1.
func (o *Objective) Values(int) map[string]float64 {
	o.labels.take()
	if o.Setup.Lambda == 0 {
		return nil
	}
	return map[string]float64{LabelLoss: o.labels.sum / float64(o.Batches.Accumulation)}
}

// inputs has a graph's inputs besides its tokens, and its losses.
type inputs struct {
	rows   []int32                 // positions of the sequences' last tokens; nil if every state is read
	next   []int32                 // targets of L1; nil without L1
	labels func(batch []batchItem) // sets the targets of L2
	l1, l2 *G.Node
	// weight1 and weight2 are the factors of L1 and L2 in the loss of this batch.
	weight1, weight2 *G.F32
}

// AddHead adds the parameters of the task's head to the model.
func AddHead(m *model.Model, s *Setup, seed uint64) {
	m.AddHead(tasks[s.Task].head(s).outputs(), seed)
}

// Shapes returns the shapes of the batches of each bucket.
func (o *Objective) Shapes() (shapes []train.Shape) {
	for _, l := range o.Batches.Lengths {
		shapes = append(shapes, train.Shape{Batch: o.Batches.Sequences, Context: l})
	}
	return shapes
}

// Bucket returns the index in Shapes of a batch's shape.
func (o *Objective) Bucket(step, micro int) int {
	bucket, _ := o.Batches.At(step, micro)
	return bucket
}

// Build adds L2, and L1 unless λ is 0, and returns the loss of a batch: L3 with each of the two
// weighted by the batch's share of the update, times the number of batches, since the trainer
// minimises the mean over batches.
func (o *Objective) Build(g *model.Graph) *G.Node {
	if o.graphs == nil {
		o.graphs = map[*model.Graph]*inputs{}
	}
	in := &inputs{}
	o.graphs[g] = in
	head := tasks[o.Setup.Task].head(o.Setup)
	var states *G.Node
	states, in.rows = readStates(g, o.Setup.Task)
	scores := g.Head(g.Dropout(states, float32(o.Setup.Dropout)))
	in.l2, in.labels = head.loss(g, scores, o.Batches)
	var loss *G.Node
	loss, in.weight2 = weighted(in.l2, "share of the labels")
	if o.Setup.Lambda == 0 {
		return loss
	}
	var next *G.Node
	next, in.next = g.Indices("next", g.Batch*g.Context)
	in.l1 = g.CrossEntropy(g.Logits(), next)
	var auxiliary *G.Node
	auxiliary, in.weight1 = weighted(in.l1, "λ · share of the tokens")
	return G.Must(G.Add(loss, auxiliary))
}

// weighted returns the loss times a factor that can be changed between runs.
func weighted(loss *G.Node, name string) (*G.Node, *G.F32) {
	factor := G.NewF32(1)
	node := G.NewScalar(loss.Graph(), G.Float32, G.WithName(name), G.WithValue(factor))
	return G.Must(G.Mul(loss, node)), factor
}

// readStates returns the states that a task's head reads, [R, D], and the input with their
// positions, nil if it reads all. The sequences of an example, whose states are added up, must
// follow one another.
func readStates(g *model.Graph, name string) (states *G.Node, rows []int32) {
	groups := tasks[name].groups
	if groups == 0 {
		return g.Hidden, nil
	}
	node, rows := g.Indices("rows", g.Batch/groups*groups)
	return g.Rows(g.Hidden, node, groups), rows
}

// Losses returns L1 (nil if λ is 0) and L2 in a graph that Build was called for.
func (o *Objective) Losses(g *model.Graph) (l1, l2 *G.Node) { return o.graphs[g].l1, o.graphs[g].l2 }

// Fill writes a batch into the graph of its bucket.
func (o *Objective) Fill(g *model.Graph, step, micro int) error {
	_, items := o.Batches.At(step, micro)
	in := o.graphs[g]
	if o.labels.take(); o.labels.step != step+1 {
		o.labels.step, o.labels.sum = step+1, 0
	}
	o.labels.last = in
	batch := place(g, items, in.rows, tasks[o.Setup.Task].groups)
	in.labels(batch)
	o.weigh(in, items, o.Batches.Update(step))
	if in.next == nil {
		return nil
	}
	for i := range in.next {
		in.next[i] = op.Ignore
	}
	for _, it := range batch {
		for j, s := range it.Sequences {
			row := in.next[(it.sequence+j)*g.Context:]
			for i, token := range s[1:] {
				// The example's own tokens, not the special ones around them.
				if !o.Special.has(token) {
					row[i] = token
				}
			}
		}
	}
	return nil
}

// weigh sets the factors of the losses of a batch by its share of the labels and of the
// predicted tokens of the update.
func (o *Objective) weigh(in *inputs, batch, update []*Item) {
	head := tasks[o.Setup.Task].head(o.Setup)
	count := func(items []*Item) (labels, tokens float64) {
		for _, it := range items {
			labels += float64(head.labels(it))
			tokens += float64(o.Special.predicted(it))
		}
		return labels, tokens
	}
	labels, tokens := count(batch)
	allLabels, allTokens := count(update)
	batches := float64(o.Batches.Accumulation)
	*in.weight2 = G.F32(batches * labels / max(allLabels, 1))
	if in.weight1 != nil {
		*in.weight1 = G.F32(o.Setup.Lambda * batches * tokens / max(allTokens, 1))
	}
}

// predicted returns how many tokens of an item L1 is the mean over.
func (s Special) predicted(it *Item) (n int) {
	for _, sequence := range it.Sequences {
		for _, token := range sequence[1:] {
			if !s.has(token) {
				n++
			}
		}
	}
	return n
}

// place writes the items' sequences into the graph, one after another, and the positions of
// their last tokens into rows. The rest is padded with token 0, though any token would do: the
// causal mask hides it from the tokens before it, and nothing reads the states there.
func place(g *model.Graph, items []*Item, rows []int32, groups int) (batch []batchItem) {
	clear(g.Tokens)
	clear(rows)
	sequence := 0
	for _, it := range items {
		batch = append(batch, batchItem{it, sequence})
		for _, s := range it.Sequences {
			copy(g.Tokens[sequence*g.Context:(sequence+1)*g.Context], s)
			if groups > 0 {
				// Row r of the states adds rows[r], rows[R+r], …: see op.Graph.Rows.
				at := sequence%groups*(len(rows)/groups) + sequence/groups
				rows[at] = int32(sequence*g.Context + len(s) - 1)
			}
			sequence++
		}
	}
	return batch
}
