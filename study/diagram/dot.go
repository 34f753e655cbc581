package diagram

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/encoding"
	"gonum.org/v1/gonum/graph/encoding/dot"
	"gonum.org/v1/gonum/graph/simple"
)

// WriteDOT writes the diagram's boxes and arrows for Graphviz, which places them.
func (d *Diagram) WriteDOT(w io.Writer) error {
	g := simple.NewDirectedGraph()
	var forward, backward []*dotNode
	for i, r := range d.rows {
		f := r.dot(g, r.forward, fmt.Sprintf("f%d", i), r.leaves)
		b := r.dot(g, r.backward, fmt.Sprintf("b%d", i), r.gradients)
		if r.kept() {
			g.SetEdge(dotEdge{f, b, attributes("style", "dashed", "constraint", "false")})
		}
		forward, backward = append(forward, f), append(backward, b)
	}
	for _, e := range d.edges {
		column := forward
		if e.backward {
			column = backward
		}
		g.SetEdge(dotEdge{column[e.from], column[e.to], nil})
	}
	text, err := dot.Marshal(g, "model", "", "\t")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s\n", text)
	}
	return err
}

// dot adds a box of the row to g, with its chips as text; nil if there is no box.
func (r *row) dot(g *simple.DirectedGraph, b *box, id string, chips []chip) *dotNode {
	if b == nil {
		return nil
	}
	lines := []string{b.name}
	if r.times > 1 {
		lines[0] += fmt.Sprintf(" (× %d)", r.times)
	}
	for _, s := range []string{b.formula, b.shape} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	for _, c := range chips {
		lines = append(lines, strings.TrimSpace(c.symbol+"  "+c.text))
	}
	line, fill := colors[b.kind].mixed(1), colors[b.kind].mixed(tint)
	n := &dotNode{g.NewNode(), id, attributes("label", strings.Join(lines, "\n"), "shape", "box", "style", "filled", "color", string(line), "fillcolor", string(fill))}
	g.AddNode(n)
	return n
}

// attributes returns the attributes of keys and values that alternate.
func attributes(pairs ...string) (list []encoding.Attribute) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, encoding.Attribute{Key: pairs[i], Value: strconv.Quote(pairs[i+1])})
	}
	return list
}

// dotNode is a node with a name and attributes.
type dotNode struct {
	graph.Node
	name string
	list []encoding.Attribute
}

func (n *dotNode) DOTID() string { return n.name }

func (n *dotNode) Attributes() []encoding.Attribute { return n.list }

// dotEdge is an edge with attributes.
type dotEdge struct {
	from, to *dotNode
	list     []encoding.Attribute
}

func (e dotEdge) From() graph.Node                 { return e.from }
func (e dotEdge) To() graph.Node                   { return e.to }
func (e dotEdge) ReversedEdge() graph.Edge         { return e }
func (e dotEdge) Attributes() []encoding.Attribute { return e.list }
