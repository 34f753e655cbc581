package diagram

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/gonum/graph/encoding/dot"
	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/plot/font"
	G "gorgonia.org/gorgonia"

	"tinygpt/data/labelled"
	"tinygpt/finetune"
	"tinygpt/internal/chart"
	"tinygpt/internal/expect"
	"tinygpt/model"
	"tinygpt/model/modeltest"
	"tinygpt/train"
)

// drawn is a differentiated graph and a diagram of it.
type drawn struct {
	*Diagram
	model *model.Model
	graph *model.Graph
	loss  *G.Node
}

func differentiated(t *testing.T, m *model.Model, g *model.Graph, loss *G.Node, o Options) drawn {
	t.Helper()
	if err := g.Differentiate(loss); err != nil {
		t.Fatal(err)
	}
	d, err := New(m, g, loss, o)
	if err != nil {
		t.Fatal(err)
	}
	return drawn{d, m, g, loss}
}

func pretraining(t *testing.T, c model.Config, frozen int, o Options) drawn {
	t.Helper()
	m := modeltest.New(t, c, 1)
	if frozen > 0 {
		m.FreezeLayers(frozen)
	}
	g := m.NewGraph(2, c.Context, true)
	return differentiated(t, m, g, (&train.LanguageModel{}).Build(g), o)
}

func fineTuning(t *testing.T, task string, o Options) drawn {
	t.Helper()
	m := modeltest.New(t, config(model.GPT2), 1)
	c := finetune.Setup{Config: finetune.Default(), Found: finetune.Found{Classes: labelled.Classes{"no", "yes"}}}
	c.Task = task
	if task == "similarity" {
		c.Head = finetune.Regression
	}
	finetune.AddHead(m, &c, 1)
	g, loss := finetune.GraphOnly(m, &c, 4)
	return differentiated(t, m, g, loss, o)
}

func config(arch model.Arch) model.Config {
	return model.Config{Arch: arch, Layers: 3, Heads: 2, Width: 8, Context: 16, VocabSize: 1000, Dropout: 0.1}
}

// all are diagrams of every sort of graph.
func all(t *testing.T, o Options) map[string]drawn {
	list := map[string]drawn{}
	for _, arch := range []model.Arch{model.GPT1, model.GPT2} {
		c := config(arch)
		list[string(arch)] = pretraining(t, c, 0, o)
		list[string(arch)+", a layer frozen"] = pretraining(t, c, 1, o)
		c.Dropout, c.UntiedHead = 0, true
		list[string(arch)+", untied"] = pretraining(t, c, 0, o)
	}
	for _, task := range finetune.Tasks() {
		list[task] = fineTuning(t, task, o)
	}
	return list
}

// Each operation and gradient of Gorgonia's graph is in one place, each leaf in one at
// least, and no place has anything else.
func TestEveryNodeOnce(t *testing.T) {
	for _, o := range []Options{{}, {Unfold: true}} {
		for name, d := range all(t, o) {
			times := map[*G.Node]int{}
			for _, r := range d.rows {
				for _, b := range []*box{r.forward, r.backward} {
					if b == nil {
						continue
					}
					for _, n := range b.nodes {
						times[n]++
					}
				}
			}
			leaves := map[*G.Node]bool{}
			for _, r := range d.rows {
				for _, c := range slices.Concat(r.leaves, r.seeds) {
					for _, n := range c.nodes {
						leaves[n] = true
					}
				}
			}
			for _, n := range d.graph.Expr.AllNodes() {
				isLeaf := n.Op() == nil || strings.HasPrefix(n.Op().String(), "const")
				if isLeaf && (!leaves[n] || times[n] > 0) || !isLeaf && (times[n] != 1 || leaves[n]) {
					t.Errorf("%s, %+v: %v is in %d boxes, as a leaf: %v", name, o, n, times[n], leaves[n])
				}
				delete(times, n)
			}
			if len(times) > 0 {
				t.Errorf("%s: %d nodes are not in the graph", name, len(times))
			}
		}
	}
}

// Unfolded, the arrows are the graph's edges between rows, no more and no less; folded,
// what is missing is what a layer hands to the next.
func TestEdges(t *testing.T) {
	for _, o := range []Options{{}, {Unfold: true}} {
		for name, d := range all(t, o) {
			type place struct {
				row      int
				backward bool
			}
			where := map[*G.Node]place{}
			for i := range d.rows {
				for _, backward := range []bool{false, true} {
					if b := d.box(i, backward); b != nil {
						for _, n := range b.nodes {
							where[n] = place{i, backward}
						}
					}
				}
			}
			want := map[edge]bool{}
			for _, n := range d.graph.Expr.AllNodes() {
				to, ok := where[n]
				for it := d.graph.Expr.From(n.ID()); ok && it.Next(); {
					from, ok := where[it.Node().(*G.Node)]
					switch {
					case !ok || from == to:
					case from.backward == to.backward:
						down := from.row < to.row
						if down != to.backward {
							want[edge{from.row, to.row, to.backward}] = true
						} else if d.rows[from.row].times == 1 {
							t.Errorf("%s: against the direction, %v", name, n)
						}
					case from.row == to.row || !d.rows[to.row].kept():
					default: // kept for the backward pass: it is an input of the same operation
						inputs := where[n].row
						found := false
						for _, o := range d.rows[inputs].forward.nodes {
							for in := d.graph.Expr.From(o.ID()); in.Next(); {
								found = found || in.Node().ID() == it.Node().ID()
							}
						}
						if !found {
							t.Errorf("%s: %v reads %v past its operation", name, n, it.Node())
						}
					}
				}
			}
			for _, e := range d.edges {
				if !want[e] {
					t.Errorf("%s: the arrow %+v isn't in the graph", name, e)
				}
				delete(want, e)
			}
			if len(want) > 0 {
				t.Errorf("%s: no arrows for %v", name, want)
			}
		}
	}
}

func TestParameters(t *testing.T) {
	for name, d := range all(t, Options{}) {
		want := 0
		for _, p := range d.model.Parameters {
			want += p.Value.Shape().TotalSize()
		}
		if d.Parameters != want {
			t.Errorf("%s: %d parameters, the model has %d", name, d.Parameters, want)
		}
	}
	one := pretraining(t, config(model.GPT2), 0, Options{Layer: 2})
	if want := 12*8*8 + 13*8; one.Parameters != want || !strings.Contains(one.Title, "layer 2: 872 parameters") {
		t.Errorf("a layer has %d parameters, want %d: %s", one.Parameters, want, one.Title)
	}
}

// Layers are one only if they are equal.
func TestFold(t *testing.T) {
	times := func(d drawn) (list []int) {
		last := -1
		for _, r := range d.rows {
			if r.layer >= 0 && r.layer != last {
				list = append(list, r.times)
				last = r.layer
			}
		}
		return list
	}
	c := config(model.GPT2)
	c.Layers = 5
	for want, d := range map[string]drawn{
		"[5]":         pretraining(t, c, 0, Options{}),
		"[1 1 1 1 1]": pretraining(t, c, 0, Options{Unfold: true}),
		"[2 3]":       pretraining(t, c, 2, Options{}),
		"[1]":         pretraining(t, c, 0, Options{Layer: 4}),
	} {
		if got := fmt.Sprint(times(d)); got != want {
			t.Errorf("layers are shown as %s, want %s", got, want)
		}
	}
	d := pretraining(t, c, 2, Options{})
	for i, r := range d.rows {
		if frozen := i < 8; frozen == (r.backward != nil) {
			t.Errorf("row %d, %s: gradients: %v", i, r.forward.name, r.backward != nil)
		}
	}
	m, _ := model.New(c, 1)
	g := m.NewGraph(1, 4, true)
	_, err := New(m, g, (&train.LanguageModel{}).Build(g), Options{Layer: 6})
	expect.Error(t, err, "layers 1 to 5")
}

// pictures are those that are drawn on slides, and longer ones.
func pictures(t *testing.T) map[string]drawn {
	list := all(t, Options{})
	list["unfolded"] = pretraining(t, config(model.GPT2), 0, Options{Unfold: true})
	for _, arch := range []model.Arch{model.GPT1, model.GPT2} {
		for _, layer := range []int{1, 2, 3} {
			list[fmt.Sprint(arch, layer)] = pretraining(t, config(arch), 0, Options{Layer: layer})
		}
	}
	return list
}

// No two boxes overlap, texts are within their boxes and everything in the picture, and no
// arrow runs through a box.
func TestGeometry(t *testing.T) {
	for name, d := range pictures(t) {
		s := d.layout()
		if slide := s.Slide; slide != (s.Height == slideHeight) || !slide && strings.HasPrefix(name, "gpt") && !strings.Contains(name, "frozen") {
			t.Errorf("%s: %v × %v, a slide: %v", name, s.Width, s.Height, slide)
		}
		inside := func(what string, x0, y0, x1, y1 float64, in shape) {
			const e = 0.01
			if x0 < in.X-e || y0 < in.Y-e || x1 > in.X+in.Width+e || y1 > in.Y+in.Height+e {
				t.Errorf("%s: %s (%.0f to %.0f, %.0f to %.0f) is not within %s (%.0f to %.0f, %.0f to %.0f)", name, what, x0, x1, y0, y1, in.ID, in.X, in.X+in.Width, in.Y, in.Y+in.Height)
			}
		}
		page := shape{ID: "the picture", Width: s.Width, Height: s.Height}
		var free []shape
		for _, l := range s.Texts {
			if !l.Up {
				free = append(free, extent(l))
			}
		}
		for i, b := range append(s.Boxes, free...) {
			inside(b.ID, b.X, b.Y, b.X+b.Width, b.Y+b.Height, page)
			for _, other := range append(s.Boxes, free...)[:i] {
				if b.X < other.X+other.Width && other.X < b.X+b.Width && b.Y < other.Y+other.Height && other.Y < b.Y+b.Height {
					t.Errorf("%s: %s and %s overlap", name, b.ID, other.ID)
				}
			}
			for j, l := range b.Texts {
				e := extent(l)
				inside(l.Text, e.X, e.Y, e.X+e.Width, e.Y+e.Height, b)
				for _, k := range b.Texts[:j] {
					if o := extent(k); k.Y == l.Y && o.X < e.X+e.Width && e.X < o.X+o.Width {
						t.Errorf("%s: %q and %q overlap", name, k.Text, l.Text)
					}
				}
			}
		}
		for _, l := range s.Lines {
			for i := 1; i < len(l.Points); i++ {
				a, b := l.Points[i-1], l.Points[i]
				for _, box := range s.Boxes {
					const e = 0.5 // arrows end on edges
					if max(a[0], b[0]) > box.X+e && min(a[0], b[0]) < box.X+box.Width-e && max(a[1], b[1]) > box.Y+e && min(a[1], b[1]) < box.Y+box.Height-e {
						t.Errorf("%s: arrow %s runs through %s", name, l.ID, box.ID)
					}
				}
			}
		}
	}
}

// extent is what a text covers.
func extent(l text) shape {
	w := chart.TextWidth(l.Text, l.Size, l.Bold)
	x := l.X
	switch {
	case l.End:
		x -= w
	case l.Mid:
		x -= w / 2
	}
	return shape{ID: l.Text, X: x, Y: l.Y - 0.75*l.Size, Width: w, Height: 0.98 * l.Size}
}

// Lanes of the same side that share rows are apart.
func TestLanes(t *testing.T) {
	d := &Diagram{}
	for range 8 {
		d.rows = append(d.rows, &row{times: 1, layer: -1, forward: &box{name: "a"}})
	}
	d.edges = []edge{{0, 7, false}, {1, 3, false}, {3, 5, false}, {2, 4, false}, {6, 7, false}}
	m := d.measure(15)
	if _, ok := m.lanes[edge{6, 7, false}]; ok {
		t.Error("an arrow between neighbours has a lane")
	}
	for e, lane := range map[edge]int{{1, 3, false}: 0, {3, 5, false}: 0, {2, 4, false}: 1, {0, 7, false}: 2} {
		if m.lanes[e] != lane {
			t.Errorf("%+v is in lane %d, want %d", e, m.lanes[e], lane)
		}
	}
}

// The picture is well-formed, its ids are unique, and the typeface has all of its letters.
func TestWriteSVG(t *testing.T) {
	face := font.DefaultCache.Lookup(chart.Font, 12)
	for name, d := range pictures(t) {
		var picture bytes.Buffer
		if err := d.WriteSVG(&picture); err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		boxes, arrows := 0, 0
		inText := false
		for token := range expect.XML(t, name, picture.Bytes()) {
			switch e := token.(type) {
			case xml.StartElement:
				inText = e.Name.Local == "text"
				for _, a := range e.Attr {
					if a.Name.Local == "id" {
						if ids[a.Value] {
							t.Errorf("%s: id %s is there twice", name, a.Value)
						}
						ids[a.Value] = true
					}
				}
				if e.Name.Local == "rect" {
					boxes++
				}
				if e.Name.Local == "polyline" {
					arrows++
				}
			case xml.EndElement:
				inText = false
			case xml.CharData:
				for _, r := range string(e) {
					if i, err := face.Face.GlyphIndex(new(sfnt.Buffer), r); inText && (i == 0 || err != nil) {
						t.Errorf("%s: the typeface has no %q", name, r)
					}
				}
			}
		}
		if boxes < len(d.rows) || arrows < len(d.edges) {
			t.Errorf("%s: %d rectangles and %d lines for %d rows and %d edges", name, boxes, arrows, len(d.rows), len(d.edges))
		}
		if strings.Contains(picture.String(), "ZgotmplZ") {
			t.Errorf("%s: a value was refused", name)
		}
	}
	d := pretraining(t, config(model.GPT2), 0, Options{})
	var picture bytes.Buffer
	if err := d.WriteSVG(&picture); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`viewBox="0 0 1280 720"`, "× 3 layers", "h.0.attn.c_attn.weight", "Causal self-attention", "dW = xᵀ·dy", "tied: the table above"} {
		if !strings.Contains(picture.String(), want) {
			t.Errorf("no %s in the picture", want)
		}
	}
}

func TestWriteDOT(t *testing.T) {
	d := pretraining(t, config(model.GPT1), 0, Options{})
	var text bytes.Buffer
	if err := d.WriteDOT(&text); err != nil {
		t.Fatal(err)
	}
	g := simple.NewDirectedGraph()
	if err := dot.Unmarshal(text.Bytes(), g); err != nil {
		t.Fatal(err)
	}
	boxes, kept := 0, 0
	for _, r := range d.rows {
		boxes += 2
		if r.kept() {
			kept++
		}
	}
	if g.Nodes().Len() != boxes || g.Edges().Len() != len(d.edges)+kept {
		t.Errorf("%d nodes and %d edges, want %d and %d", g.Nodes().Len(), g.Edges().Len(), boxes, len(d.edges)+kept)
	}
	if !regexp.MustCompile(`label="Causal self-attention \(× 3\)\\nP·v`).Match(text.Bytes()) {
		t.Error(text.String())
	}
}
