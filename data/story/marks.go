package story

import (
	"fmt"
	"slices"
	"strings"
)

// mark is a note of the grammar's author about what happens at its point of the text.
// Marks cost no bits and print nothing. In the notation:
//
//	[topic lost and found]         what the story is about; the last one counts
//	[good] [bad] [mixed]           how things stand; the last one is the sentiment of the story
//	[event lost]                   this sentence is the event "lost"; a later
//	                               sentence of that name takes it over
//	[cause lost] [motive lost] [feeling lost] [prevent lost]
//	                               this sentence follows from the event: it causes
//	                               this, moves someone to do this, makes someone
//	                               feel this, keeps someone from doing it
//	[has A toy] [at toy spot]      who has a thing from now on, where a thing or
//	                               person is from now on
//	[feels A sad]                  how someone feels from now on; one of the
//	                               feelings that the language names
//	[why A sad: text]              why someone felt so, with mentions of slots; goes after "because"
type mark struct {
	kind  string
	word  string  // the topic, event or feeling
	slots []*slot // one or two
	why   []op    // texts and mentions only
}

// markShapes tells for each mark how many slots it names and whether a word follows.
var markShapes = map[string]struct {
	slots int
	word  bool
}{
	"topic": {0, true}, "event": {0, true},
	"good": {0, false}, "bad": {0, false}, "mixed": {0, false},
	"cause": {0, true}, "motive": {0, true}, "feeling": {0, true}, "prevent": {0, true},
	"has": {2, false}, "at": {2, false},
	"feels": {1, true}, "why": {1, true},
}

func (r *reader) parseMark(inner string, args []string) (op, error) {
	head, why, explained := strings.Cut(inner, ":")
	fields := strings.Fields(head)
	if len(fields) == 0 {
		return op{}, fmt.Errorf("[] marks nothing")
	}
	m := &mark{kind: fields[0]}
	shape, known := markShapes[m.kind]
	fields = fields[1:]
	if !known || len(fields) < shape.slots || (len(fields) > shape.slots) != shape.word || explained != (m.kind == "why") {
		return op{}, fmt.Errorf("[%s] is no mark", inner)
	}
	for _, name := range fields[:shape.slots] {
		s, err := r.slot(name, args)
		if err != nil {
			return op{}, err
		}
		m.slots = append(m.slots, s)
	}
	m.word = strings.Join(fields[shape.slots:], " ")
	if m.kind == "feels" || m.kind == "why" {
		feelings := r.g.speech.feelings
		if !slices.Contains(feelings[0], m.word) && !slices.Contains(feelings[1], m.word) {
			return op{}, fmt.Errorf("[%s]: %q is none of the feelings %v", inner, m.word, feelings)
		}
	}
	if explained {
		ops, err := r.parse(strings.TrimSpace(why), args)
		if err != nil {
			return op{}, err
		}
		for _, o := range ops {
			if o.code != opText && o.code != opSlot {
				return op{}, fmt.Errorf("[%s]: a reason holds text and mentions only", inner)
			}
		}
		m.why = ops
		if !slices.ContainsFunc(r.g.reasons, m.equal) {
			r.g.reasons = append(r.g.reasons, m)
		}
	}
	return op{code: opMark, mark: m}, nil
}

// equal reports whether two reasons are the same sentence about the same slots.
func (m *mark) equal(other *mark) bool {
	return m.word == other.word && slices.Equal(m.slots, other.slots) &&
		slices.EqualFunc(m.why, other.why, func(a, b op) bool {
			return a.code == b.code && a.text == b.text && a.slot == b.slot && a.form == b.form
		})
}

// trail records what a telling mentions and marks.
type trail struct {
	mentions []mention
	notes    []note
}

type mention struct {
	slot *slot
	span Span
}

type note struct {
	mark   *mark
	offset int
}

// mention records that a record's form was printed at the offset; pronouns and other
// forms without the word itself are no mentions.
func (t *trail) mention(s *slot, r *record, form, offset int) {
	if at := r.name[form]; at >= 0 && s.table.kind != "" {
		t.mentions = append(t.mentions, mention{s, Span{offset + at, offset + at + len(r.forms[0])}})
	}
}

func (t *trail) note(m *mark, offset int) { t.notes = append(t.notes, note{m, offset}) }
