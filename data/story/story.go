package story

import "tinygpt/data/internal/chance"

// Story is one document of the corpus.
type Story struct {
	// Text is a few hundred bytes, without space at its ends; English ones are plain ASCII.
	Text string
	// Bits is −log2 P(Text), the end of the text included: that the story ends here is
	// among its choices.
	Bits float64

	language *Language
	seed     uint64
	index    int
}

// Language is the language that the story is told in.
func (s Story) Language() *Language { return s.language }

// Generate returns story number index (from 0) of the endless corpus with that seed. It
// depends on nothing else: not on the platform, nor on which other stories are
// generated.
func (l *Language) Generate(seed uint64, index int) Story {
	t := newTelling(l.grammar(), drawn{chance.New(seed, uint64(index))})
	t.tell(t.grammar.root)
	return Story{Text: string(t.text), Bits: t.bits, language: l, seed: seed, index: index}
}

// Corpus returns stories 0, 1, 2 … of the seed until their texts together hold at least
// that many bytes.
func (l *Language) Corpus(seed uint64, bytes int) []Story {
	var stories []Story
	for held := 0; held < bytes; {
		s := l.Generate(seed, len(stories))
		held += len(s.Text)
		stories = append(stories, s)
	}
	return stories
}

// telling is one story in the making.
type telling struct {
	grammar *grammar
	choices choices
	text    []byte
	bits    float64
	bound   []int // the record that each slot holds, −1 before its first mention
	trail   *trail
}

// choices decide what the grammar leaves open: drawn for a story to be made (drawn),
// or read off a text that is there (noted, in parse.go).
type choices interface {
	alternative(r *rule) int       // which alternative of a rule
	word(t *table) int             // which record of a table
	slot(s *slot, bound []int) int // which record a slot holds from now on; none that a rival holds
}

func newTelling(g *grammar, c choices) *telling {
	return &telling{grammar: g, choices: c, text: make([]byte, 0, 1024), bound: g.unbound()}
}

// unbound is the memory of a story that has mentioned nobody yet.
func (g *grammar) unbound() []int {
	bound := make([]int, len(g.slots))
	for i := range bound {
		bound[i] = -1
	}
	return bound
}

// tell appends an expansion of the rule.
func (t *telling) tell(r *rule) {
	i := t.choices.alternative(r)
	t.bits += r.alternatives[i].bits
	for k := range r.alternatives[i].ops {
		switch o := &r.alternatives[i].ops[k]; o.code {
		case opText:
			t.text = append(t.text, o.text...)
		case opSlot:
			if t.bound[o.slot.index] < 0 {
				i := t.choices.slot(o.slot, t.bound)
				t.bits += o.slot.information(i, t.bound)
				t.bound[o.slot.index] = i
			}
			rec := &o.slot.table.records[t.bound[o.slot.index]]
			if t.trail != nil {
				t.trail.mention(o.slot, rec, o.form, len(t.text))
			}
			t.text = append(t.text, rec.forms[o.form]...)
		case opDraw:
			rec := &o.table.records[t.choices.word(o.table)]
			t.bits += rec.bits
			t.text = append(t.text, rec.forms[o.form]...)
		case opCall:
			t.tell(o.rule)
		case opMark:
			if t.trail != nil {
				t.trail.note(o.mark, len(t.text))
			}
		}
	}
}

// drawn are choices at random, each with the weight that the grammar gives it.
type drawn struct{ chance.Chooser }

func (d drawn) alternative(r *rule) int {
	n, i := d.Below(r.total), 0
	for n >= r.alternatives[i].weight {
		n -= r.alternatives[i].weight
		i++
	}
	return i
}

func (d drawn) word(t *table) int { return t.at(d.Below(t.total)) }

// slot draws again on a clash with a rival, which leaves the other records in
// proportion to their weights.
func (d drawn) slot(s *slot, bound []int) int {
	i := d.word(s.table)
	for !s.free(i, bound) {
		i = d.word(s.table)
	}
	return i
}
