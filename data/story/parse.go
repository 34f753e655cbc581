package story

import "tinygpt/data/internal/chance"

// Parse returns the labels of a text, wherever it is from, and whether it is a story
// word for word: whether the grammar has a derivation that spells it. far is how many of
// its leading bytes some story begins with: all of them if ok, and for other texts a
// degree of coherence.
//
// Of a text that is no story the labels are what its longest beginning says that a story
// has: the hero, the topic if only stories of one begin so, and the sentiment so far; no
// sentences, entities, links or questions.
func (l *Language) Parse(text string) (labels Labels, far int, ok bool) {
	g := l.grammar()
	p := &parser{grammar: g, text: text, bound: g.unbound()}
	ok = p.rule(g.root, nil, 0)
	if !ok {
		return p.begun(), p.far, false
	}
	t := newTelling(g, &noted{p.path})
	t.trail = &trail{}
	t.tell(g.root)
	return t.labels(chance.New(0, 0)), p.far, true
}

// parser looks for a derivation of a text, depth first, and notes its choices.
type parser struct {
	grammar *grammar
	text    string
	bound   []int
	path    []int
	far     int // bytes that some story begins with, the last word perhaps in part
	// Of the longest beginning that ends with a whole word or phrase of the grammar:
	whole   int
	longest []int        // its choices
	topics  map[int]bool // the alternatives of the root that begin so
}

// begun are the labels of the longest beginning.
func (p *parser) begun() (l Labels) {
	if p.whole == 0 {
		return l
	}
	// After the last of its choices the telling goes on somehow; what it says then
	// isn't the text's.
	t := newTelling(p.grammar, &noted{p.longest})
	t.trail = &trail{}
	t.tell(p.grammar.root)
	for _, m := range t.trail.mentions {
		if m.slot.name == hero && m.span.End <= p.whole {
			l.Hero = t.word(m.slot)
		}
	}
	for _, n := range t.trail.notes {
		if n.offset >= p.whole {
			break
		}
		switch n.mark.kind {
		case "topic":
			if len(p.topics) == 1 {
				l.Topic = n.mark.word
			}
		case "good", "bad", "mixed":
			l.Sentiment = sentimentOf[n.mark.kind]
		}
	}
	return l
}

// noted are the choices of a derivation, in the order in which a telling makes them.
type noted struct{ path []int }

func (n *noted) next() int {
	if len(n.path) == 0 {
		return 0
	}
	i := n.path[0]
	n.path = n.path[1:]
	return i
}

func (n *noted) alternative(*rule) int { return n.next() }
func (n *noted) word(*table) int       { return n.next() }
func (n *noted) slot(*slot, []int) int { return n.next() }

// rule tries the alternatives of a rule, then what is above it, from byte pos on, and
// reports whether one of them spells the rest of the text.
func (p *parser) rule(r *rule, up *rest, pos int) bool {
	for i := range r.alternatives {
		if p.take(i, r.alternatives[i].ops, up, pos) {
			return true
		}
	}
	return false
}

// take notes a choice and goes on with what follows it. If that leads nowhere, the
// choice is forgotten.
func (p *parser) take(choice int, ops []op, up *rest, pos int) bool {
	p.path = append(p.path, choice)
	if p.ops(ops, up, pos) {
		return true
	}
	p.path = p.path[:len(p.path)-1]
	return false
}

// ops matches the steps, then what is above them, from byte pos on.
func (p *parser) ops(ops []op, up *rest, pos int) bool {
	for {
		p.reached(pos)
		if len(ops) == 0 {
			if up == nil {
				return pos == len(p.text)
			}
			ops, up = up.ops, up.up
			continue
		}
		o := &ops[0]
		ops = ops[1:]
		var ok bool
		switch o.code {
		case opCall:
			return p.rule(o.rule, &rest{ops, up}, pos)
		case opDraw:
			for i := range o.table.records {
				if next, ok := p.literal(o.table.records[i].forms[o.form], pos); ok && p.take(i, ops, up, next) {
					return true
				}
			}
			return false
		case opSlot:
			held := p.bound[o.slot.index]
			if held < 0 {
				return p.bind(o, ops, up, pos)
			}
			pos, ok = p.literal(o.slot.table.records[held].forms[o.form], pos)
			if !ok {
				return false
			}
		case opText:
			if pos, ok = p.literal(o.text, pos); !ok {
				return false
			}
		}
	}
}

// reached notes that the choices so far spell the text up to pos.
func (p *parser) reached(pos int) {
	if pos < p.whole || pos == 0 {
		return
	}
	if pos > p.whole {
		p.whole, p.longest, p.topics = pos, append(p.longest[:0], p.path...), map[int]bool{}
	}
	p.topics[p.path[0]] = true
}

// bind tries every record that the text can go on with for a slot that holds none yet.
func (p *parser) bind(o *op, ops []op, up *rest, pos int) bool {
	s := o.slot
	for i := range s.table.records {
		next, ok := p.literal(s.table.records[i].forms[o.form], pos)
		if !ok || !s.free(i, p.bound) {
			continue
		}
		p.bound[s.index] = i
		if p.take(i, ops, up, next) {
			return true
		}
		p.bound[s.index] = -1
	}
	return false
}

// literal returns the position after the words, if the text has them at pos, and notes
// how far the text agreed with a story.
func (p *parser) literal(words string, pos int) (next int, ok bool) {
	here := p.text[pos:]
	n := 0
	for n < len(words) && n < len(here) && words[n] == here[n] {
		n++
	}
	p.far = max(p.far, pos+n)
	return pos + n, n == len(words)
}
