package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// lookups picks rows of tables, several of each for a row of the output.
type lookups struct {
	rows  int
	each  []int // rows of table i for a row of the output
	width []int // of table i
}

// Table is a table [V, D] with the rows that Lookups takes of it: index [N·Each], which
// has the Each rows of one output row after another.
type Table struct {
	Index *G.Node
	Param Param
	Each  int
}

// Lookups returns [N, Σ Each·D]: in a row, the chosen rows of the first table side by side,
// then those of the next. With one table of word vectors and the numbers of the words
// around each word, it is the input of a window classifier (Collobert et al. 2011, Natural
// Language Processing (Almost) from Scratch, section 3.2). A row's gradient is the sum of
// those of the places where it was taken.
func (g *Graph) Lookups(tables ...Table) *G.Node {
	must(len(tables) > 0, "Lookups: no tables")
	l := &lookups{rows: tables[0].Index.Shape().TotalSize() / max(tables[0].Each, 1)}
	total := 0
	var in []input
	for _, t := range tables {
		_, d := dims("Lookups' table", t.Param.Node)
		must(t.Each > 0 && t.Index.Shape().TotalSize() == l.rows*t.Each, "Lookups: %d numbers, %d a row, for %d rows", t.Index.Shape().TotalSize(), t.Each, l.rows)
		l.each, l.width = append(l.each, t.Each), append(l.width, d)
		total += t.Each * d
		in = append(in, constant(t.Index), t.Param.input())
	}
	return g.apply("Lookups", l, tensor.Shape{l.rows, total}, in...)
}

// places calls f for each lookup: its table, row, and columns of out.
func (l *lookups) places(out []float32, in []values, f func(table, row int, part []float32)) {
	at := 0
	for r := range l.rows {
		for t, each := range l.each {
			d := l.width[t]
			for _, row := range in[2*t].index[r*each : (r+1)*each] {
				f(t, int(row), out[at:at+d])
				at += d
			}
		}
	}
}

func (l *lookups) forward(out []float32, in []values) {
	l.places(out, in, func(t, row int, part []float32) {
		copy(part, in[2*t+1].float[row*len(part):])
	})
}

func (l *lookups) backward(_, dout []float32, in []values) {
	l.places(dout, in, func(t, row int, part []float32) {
		if grad := in[2*t+1].grad; grad != nil {
			for i, x := range part {
				grad[row*len(part)+i] += x
			}
		}
	})
}

func (l *lookups) backwardReads() (inputs, output bool) { return false, false }

func (l *lookups) describe(inputs int) description {
	d := description{"Lookups", Lookup, "[E[i] …]", nil, nil}
	for range inputs / 2 {
		d.inputs = append(d.inputs, "i", "E")
		d.gradients = append(d.gradients, "", "dE[i] = Σ dy")
	}
	return d
}
