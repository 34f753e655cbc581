package finetune

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/model"
	"tinygpt/model/op"
	"tinygpt/train"
)

// Objective is L3 = L2 + λ·L1 over batches of items (Radford et al. 2018, equation 5):
// a train.Objective with a graph for each length of Batches.
type Objective struct {
	Config  *Config
	Special Special
	Batches *Batches
	// Accumulation is how many batches an update has.
	Accumulation int

	graphs map[*model.Graph]*inputs
}

// inputs is what a graph reads beside its tokens, and its losses.
type inputs struct {
	rows   []int32 // the sequences' last tokens; nil if every state is read
	next   []int32 // targets of L1; nil without L1
	labels func(batch []placed)
	l1, l2 *G.Node
}

// AddHead adds the parameters of the task's head to the model.
func AddHead(m *model.Model, c *Config, seed uint64) {
	m.AddHead(scoreName, tasks[c.Task].head(c).outputs(), seed)
}

// Shapes are those of the buckets.
func (o *Objective) Shapes() (shapes []train.Shape) {
	for _, l := range o.Batches.Lengths {
		shapes = append(shapes, train.Shape{Batch: o.Batches.Sequences, Context: l})
	}
	return shapes
}

// Bucket is the length of a batch.
func (o *Objective) Bucket(step, micro int) int {
	bucket, _ := o.Batches.At(step*o.Accumulation + micro)
	return bucket
}

// Build adds L2, and L1 unless λ is 0, and returns L3.
func (o *Objective) Build(g *model.Graph) *G.Node {
	if o.graphs == nil {
		o.graphs = map[*model.Graph]*inputs{}
	}
	in := &inputs{}
	o.graphs[g] = in
	head := tasks[o.Config.Task].head(o.Config)
	var states *G.Node
	states, in.rows = readStates(g, o.Config.Task)
	scores := g.Head(g.Dropout(states, float32(o.Config.Dropout)), scoreName)
	in.l2, in.labels = head.loss(g, scores, o.Batches)
	if o.Config.Lambda == 0 {
		return in.l2
	}
	var next *G.Node
	next, in.next = g.Indices("next", g.Batch*g.Context)
	in.l1 = g.CrossEntropy(g.Logits(), next)
	return G.Must(G.Add(in.l2, G.Must(G.Mul(in.l1, G.NewConstant(float32(o.Config.Lambda))))))
}

// readStates adds the states that a task reads: [R, D], and where their rows are set.
// Sequences whose states are added up lie beside each other.
func readStates(g *model.Graph, name string) (states *G.Node, rows []int32) {
	groups := tasks[name].groups
	if groups == 0 {
		return g.Hidden, nil
	}
	node, rows := g.Indices("rows", g.Batch/groups*groups)
	return g.Rows(g.Hidden, node, groups), rows
}

// Losses are L1 (nil if λ is 0) and L2 of a graph that Build saw.
func (o *Objective) Losses(g *model.Graph) (l1, l2 *G.Node) { return o.graphs[g].l1, o.graphs[g].l2 }

// Fill writes a batch into the graph of its bucket.
func (o *Objective) Fill(g *model.Graph, step, micro int) error {
	_, items := o.Batches.At(step*o.Accumulation + micro)
	in := o.graphs[g]
	batch := place(g, items, in.rows, tasks[o.Config.Task].groups)
	in.labels(batch)
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
				// The example's own tokens: not those that were put around them.
				if !o.Special.has(token) {
					row[i] = token
				}
			}
		}
	}
	return nil
}

// place writes the items' sequences into the graph, one after another, and the places
// of their last tokens into rows. The rest is filled with token 0; it could be any:
// attention looks back only, and nothing reads the states there.
func place(g *model.Graph, items []*Item, rows []int32, groups int) (batch []placed) {
	clear(g.Tokens)
	clear(rows)
	sequence := 0
	for _, it := range items {
		batch = append(batch, placed{it, sequence})
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
