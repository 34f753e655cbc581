package op

import (
	"strings"
	"testing"
)

// checkDescriptions looks at each node of a differentiated graph: an operation has a
// symbol for each input, and each gradient a formula that begins with what it is.
func checkDescriptions(t *testing.T, g *Graph) {
	t.Helper()
	operations, gradients := 0, 0
	for _, n := range g.Expr.AllNodes() {
		p, ok := Describe(n)
		if !ok {
			continue
		}
		if p.Name == "" || p.Formula == "" || p.Operation < 1 {
			t.Errorf("%v: %+v", n, p)
		}
		if p.Input < 0 {
			operations++
			if inputs := g.Expr.From(n.ID()).Len(); len(p.Symbols) != inputs {
				t.Errorf("%s: %d symbols for %d inputs", p.Name, len(p.Symbols), inputs)
			}
			continue
		}
		gradients++
		for _, symbol := range strings.Split(p.Symbols[p.Input], ", ") {
			// Of rows, it is that of those which were read: dx[rows].
			if d := "d" + symbol; !strings.Contains(p.Formula, d+" = ") && !strings.Contains(p.Formula, d+"[") {
				t.Errorf("%s, gradient of input %d: %q doesn't say what %s is", p.Name, p.Input, p.Formula, d)
			}
		}
	}
	if operations != len(g.list) || gradients == 0 {
		t.Errorf("%d operations of %d and %d gradients are described", operations, len(g.list), gradients)
	}
}

func TestDescribeOthers(t *testing.T) {
	g := NewGraph()
	n, _ := g.Indices("tokens", 3)
	if p, ok := Describe(n); ok {
		t.Errorf("an input is described as %+v", p)
	}
}
