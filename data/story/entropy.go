package story

import (
	"fmt"
	"slices"
)

// Entropy holds the exact expectations of the source.
type Entropy struct {
	BitsPerStory  float64 // E[−log2 P(text)], the end of the text included
	BytesPerStory float64 // E[len(text)]
}

// BitsPerByte is the entropy rate of an endless corpus, stories one after another: what
// the cross-entropy of a perfect model comes to, in bits per byte of text.
func (e Entropy) BitsPerByte() float64 { return e.BitsPerStory / e.BytesPerStory }

// ExactEntropy sums the expectations over the whole grammar; nothing is sampled.
func (l *Language) ExactEntropy() Entropy { return l.grammar().entropy() }

func (g *grammar) entropy() (e Entropy) {
	for _, f := range newSummer().rule(g.root, 0) {
		e.BitsPerStory += f.bits
		e.BytesPerStory += f.bytes
	}
	return e
}

// flow is the mass of all derivations that reach a point with the same slots drawn.
// Which slots are drawn is all that the rest of the grammar can depend on, so these few
// flows stand for countless derivations.
type flow struct {
	drawn       uint64  // bit set of slots
	prob        float64 // of the derivations
	bits, bytes float64 // expectations up to here, times prob
}

// summer computes flows, each rule once per set of drawn slots.
type summer struct {
	flows map[flowKey][]flow
	slots map[*slot]*marginal
}

type flowKey struct {
	rule  *rule
	drawn uint64
}

func newSummer() *summer {
	return &summer{flows: map[flowKey][]flow{}, slots: map[*slot]*marginal{}}
}

// rule returns the flows out of a rule entered with probability 1.
func (s *summer) rule(r *rule, drawn uint64) []flow {
	key := flowKey{r, drawn}
	if done, ok := s.flows[key]; ok {
		return done
	}
	var out []flow
	for _, a := range r.alternatives {
		p := float64(a.weight) / float64(r.total)
		flows := []flow{{drawn: drawn, prob: p, bits: p * a.bits}}
		for i := range a.ops {
			flows = s.step(a.ops[i:], flows)
		}
		for _, f := range flows {
			out = merge(out, f)
		}
	}
	s.flows[key] = out
	return out
}

// step takes the first of the steps.
func (s *summer) step(ops []op, flows []flow) []flow {
	switch o := &ops[0]; o.code {
	case opText:
		for i := range flows {
			flows[i].bytes += flows[i].prob * float64(len(o.text))
		}
	case opDraw:
		information, length := o.table.expect(o.form)
		for i := range flows {
			flows[i].bits += flows[i].prob * information
			flows[i].bytes += flows[i].prob * length
		}
	case opSlot:
		m := s.marginal(o.slot)
		length := m.length(o.form)
		for i := range flows {
			f := &flows[i]
			f.bytes += f.prob * length
			if f.drawn&(1<<o.slot.index) == 0 {
				checkFirstMention(ops, f.drawn)
				f.drawn |= 1 << o.slot.index
				f.bits += f.prob * m.information
			}
		}
		return mergeAll(flows)
	case opCall:
		var out []flow
		for _, f := range flows {
			for _, g := range s.rule(o.rule, f.drawn) {
				out = merge(out, flow{g.drawn, f.prob * g.prob, f.bits*g.prob + f.prob*g.bits, f.bytes*g.prob + f.prob*g.bytes})
			}
		}
		return out
	}
	return flows
}

// checkFirstMention holds the grammar to what exactness needs. Slots of one table are
// drawn in their order; and a first mention tells the record, if not in the same
// sentence ("a girl") then later in the same alternative ("named Mia").
func checkFirstMention(ops []op, drawn uint64) {
	s := ops[0].slot
	for _, r := range s.rivals {
		if drawn&(1<<r.index) == 0 {
			panic(fmt.Sprintf("story: slot %s is drawn before slot %s", s.name, r.name))
		}
	}
	tells := func(o op) bool { return o.code == opSlot && o.slot == s && s.table.distinct(o.form) }
	if !slices.ContainsFunc(ops, tells) {
		panic(fmt.Sprintf("story: slot %s is first mentioned in a form that doesn't tell its word", s.name))
	}
}

// distinct reports whether a form differs for all records.
func (t *table) distinct(form int) bool {
	seen := map[string]bool{}
	for _, r := range t.records {
		if seen[r.forms[form]] {
			return false
		}
		seen[r.forms[form]] = true
	}
	return true
}

func merge(flows []flow, f flow) []flow {
	for i := range flows {
		if flows[i].drawn == f.drawn {
			flows[i].prob += f.prob
			flows[i].bits += f.bits
			flows[i].bytes += f.bytes
			return flows
		}
	}
	return append(flows, f)
}

func mergeAll(flows []flow) []flow {
	out := flows[:0]
	for _, f := range flows {
		out = merge(out, f)
	}
	return out
}

// expect returns the entropy of one draw from the table and the expected length of a
// form.
func (t *table) expect(form int) (information, length float64) {
	for _, r := range t.records {
		p := float64(r.weight) / float64(t.total)
		information += p * r.bits
		length += p * float64(len(r.forms[form]))
	}
	return information, length
}

// marginal is the distribution of a slot's record whatever its rivals hold.
type marginal struct {
	table       *table
	prob        []float64
	information float64 // the entropy of the draw, given the rivals' records
}

func (m *marginal) length(form int) float64 {
	sum := 0.0
	for i, r := range m.table.records {
		sum += m.prob[i] * float64(len(r.forms[form]))
	}
	return sum
}

// marginal sums over all ways in which the rivals can have been drawn.
func (s *summer) marginal(sl *slot) *marginal {
	if m := s.slots[sl]; m != nil {
		return m
	}
	m := &marginal{table: sl.table, prob: make([]float64, len(sl.table.records))}
	var visit func(depth int, prob float64, total uint64, taken []int)
	visit = func(depth int, prob float64, total uint64, taken []int) {
		for i, r := range sl.table.records {
			if slices.Contains(taken, i) {
				continue
			}
			p := prob * float64(r.weight) / float64(total)
			if depth == len(sl.rivals) {
				m.prob[i] += p
				m.information += p * informationOf(r.weight, total)
				continue
			}
			visit(depth+1, p, total-r.weight, append(taken, i))
		}
	}
	visit(0, 1, sl.table.total, nil)
	s.slots[sl] = m
	return m
}
