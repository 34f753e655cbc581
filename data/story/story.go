package story

import "tinygpt/data/internal/chance"

// Story is one document of the corpus.
type Story struct {
	// Text is plain ASCII, a few hundred bytes, without space at its ends.
	Text string
	// Bits is −log2 P(Text), the end of the text included: that the story ends here is among its choices.
	Bits float64

	seed  uint64
	index int
}

// Generate returns story number index (from 0) of the endless corpus with that seed. It depends on nothing else: not on
// the platform, nor on which other stories are generated.
func Generate(seed uint64, index int) Story {
	t := newTelling(seed, index)
	t.tell(load().root)
	return Story{Text: string(t.text), Bits: t.bits, seed: seed, index: index}
}

// Corpus returns stories 0, 1, 2 … of the seed until their texts together hold at least that many bytes.
func Corpus(seed uint64, bytes int) []Story {
	var stories []Story
	for held := 0; held < bytes; {
		s := Generate(seed, len(stories))
		held += len(s.Text)
		stories = append(stories, s)
	}
	return stories
}

// Telling is one story in the making.
type telling struct {
	choose chance.Chooser
	text   []byte
	bits   float64
	bound  []int // the record that each slot holds, −1 before its first mention
	trail  *trail
}

func newTelling(seed uint64, index int) *telling {
	t := &telling{choose: chance.New(seed, uint64(index)), text: make([]byte, 0, 1024)}
	t.bound = make([]int, len(load().slots))
	for i := range t.bound {
		t.bound[i] = -1
	}
	return t
}

// Tell appends an expansion of the rule.
func (t *telling) tell(r *rule) {
	n := t.choose.Below(r.total)
	i := 0
	for n >= r.alternatives[i].weight {
		n -= r.alternatives[i].weight
		i++
	}
	t.bits += r.alternatives[i].bits
	for k := range r.alternatives[i].ops {
		switch o := &r.alternatives[i].ops[k]; o.code {
		case opText:
			t.text = append(t.text, o.text...)
		case opSlot:
			if t.bound[o.slot.index] < 0 {
				t.bind(o.slot)
			}
			rec := &o.slot.table.records[t.bound[o.slot.index]]
			if t.trail != nil {
				t.trail.mention(o.slot, rec, o.form, len(t.text))
			}
			t.text = append(t.text, rec.forms[o.form]...)
		case opDraw:
			rec := &o.table.records[o.table.at(t.choose.Below(o.table.total))]
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

// Bind draws a record for the slot that none of its rivals holds. Drawing again on a clash leaves the others in
// proportion to their weights.
func (t *telling) bind(s *slot) {
	i := s.table.at(t.choose.Below(s.table.total))
	for !s.free(i, t.bound) {
		i = s.table.at(t.choose.Below(s.table.total))
	}
	t.bits += s.information(i, t.bound)
	t.bound[s.index] = i
}
