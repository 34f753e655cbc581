package story

import (
	"math"
	"strings"
)

// LogProb returns −log2 P(text), the probability that a story is exactly this text, by
// following every derivation that spells it; ok is false if there is none. It needs no
// knowledge of how the text was made.
func (l *Language) LogProb(text string) (bits float64, ok bool) {
	m := l.grammar().match(text)
	return m.bits, m.derivations > 0
}

// matcher follows all derivations of a text, depth first.
type matcher struct {
	text        string
	bound       []int
	bits        float64 // −log2 of the sum over the derivations found
	derivations int
}

// rest is what is still to be matched after the steps at hand: the callers' remaining
// steps.
type rest struct {
	ops []op
	up  *rest
}

func (g *grammar) match(text string) *matcher {
	m := &matcher{text: text, bits: math.Inf(1), bound: g.unbound()}
	m.rule(g.root, nil, 0, 0)
	return m
}

func (m *matcher) found(bits float64) {
	m.derivations++
	small, large := min(m.bits, bits), max(m.bits, bits)
	m.bits = small
	if !math.IsInf(large, 1) {
		m.bits -= math.Log2(1 + math.Exp2(small-large))
	}
}

func (m *matcher) rule(r *rule, up *rest, pos int, bits float64) {
	for i := range r.alternatives {
		a := &r.alternatives[i]
		m.ops(a.ops, up, pos, bits+a.bits)
	}
}

// ops matches the steps, then what is above them, from byte pos on.
func (m *matcher) ops(ops []op, up *rest, pos int, bits float64) {
	for {
		if len(ops) == 0 {
			if up == nil {
				if pos == len(m.text) {
					m.found(bits)
				}
				return
			}
			ops, up = up.ops, up.up
			continue
		}
		o := &ops[0]
		ops = ops[1:]
		switch o.code {
		case opCall:
			m.rule(o.rule, &rest{ops, up}, pos, bits)
			return
		case opDraw:
			for i := range o.table.records {
				r := &o.table.records[i]
				if next, ok := m.literal(r.forms[o.form], pos); ok {
					m.ops(ops, up, next, bits+r.bits)
				}
			}
			return
		case opSlot:
			held := &m.bound[o.slot.index]
			if *held < 0 {
				m.bind(o, ops, up, pos, bits)
				return
			}
			next, ok := m.literal(o.slot.table.records[*held].forms[o.form], pos)
			if !ok {
				return
			}
			pos = next
		case opText:
			next, ok := m.literal(o.text, pos)
			if !ok {
				return
			}
			pos = next
		}
	}
}

// bind tries every record that the text can go on with for a slot that holds none yet.
func (m *matcher) bind(o *op, ops []op, up *rest, pos int, bits float64) {
	s := o.slot
	for i := range s.table.records {
		next, ok := m.literal(s.table.records[i].forms[o.form], pos)
		if !ok || !s.free(i, m.bound) {
			continue
		}
		information := s.information(i, m.bound)
		m.bound[s.index] = i
		m.ops(ops, up, next, bits+information)
		m.bound[s.index] = -1
	}
}

// literal returns the position after the words, if the text has them at pos.
func (m *matcher) literal(words string, pos int) (next int, ok bool) {
	return pos + len(words), strings.HasPrefix(m.text[pos:], words)
}
