package story

import (
	"slices"
	"strings"

	"tinygpt/data/internal/chance"
)

// Question is a comprehension question that the text answers.
type Question struct {
	Kind   QuestionKind
	Text   string
	Answer string
	Wrong  []string // three other choices, none of them right
}

// QuestionKind tells what a question asks for.
type QuestionKind string

// The kinds of questions, all about the end of the story but the last.
const (
	Who   QuestionKind = "who"   // who has a thing
	Where QuestionKind = "where" // where a thing or a person is
	Feels QuestionKind = "feels" // how someone feels
	Why   QuestionKind = "why"   // why someone felt so
)

// wrongChoices is how many wrong choices a question has.
const wrongChoices = 3

// questions turns the state that the marks leave at the end of a telling into
// questions.
func questions(t *telling, choose chance.Chooser) []Question {
	var out []Question
	notes := t.trail.notes
	for i, n := range notes {
		if m := n.mark; m.kind == "why" || !superseded(m, notes[i+1:]) {
			if q, ok := t.question(m, choose); ok && !slices.ContainsFunc(out, func(p Question) bool { return p.Text == q.Text }) {
				out = append(out, q)
			}
		}
	}
	return out
}

// superseded reports whether a later note says something else of the same subject:
// where a thing is or who has it, or how a person feels.
func superseded(m *mark, later []note) bool {
	for _, n := range later {
		switch o := n.mark; {
		case m.kind == "feels" && o.kind == "feels" && o.slots[0] == m.slots[0]:
			return true
		case m.kind == "has" && o.kind == "has" && o.slots[1] == m.slots[1],
			m.kind == "has" && o.kind == "at" && o.slots[0] == m.slots[1],
			m.kind == "at" && o.kind == "at" && o.slots[0] == m.slots[0],
			m.kind == "at" && o.kind == "has" && o.slots[1] == m.slots[0]:
			return true
		}
	}
	return false
}

func (t *telling) question(m *mark, choose chance.Chooser) (Question, bool) {
	for _, s := range m.slots {
		if t.bound[s.index] < 0 {
			return Question{}, false
		}
	}
	say := t.grammar.speech
	switch m.kind {
	case "has":
		q := Question{Kind: Who, Text: say.who(t.word(m.slots[1])), Answer: t.refer(m.slots[0])}
		q.Wrong = t.others(m.slots[0], 0, choose)
		return q, true
	case "at":
		place := m.slots[1]
		in := max(place.table.column("in"), 0)
		subject := say.where(t.word(m.slots[0]), m.slots[0].table.kind)
		q := Question{Kind: Where, Text: subject, Answer: place.table.records[t.bound[place.index]].forms[in]}
		q.Wrong = t.others(place, in, choose)
		return q, true
	case "feels":
		q := Question{Kind: Feels, Text: say.feels(t.refer(m.slots[0])), Answer: m.word}
		q.Wrong = say.opposites(m.word, choose)
		return q, true
	case "why":
		q := Question{Kind: Why, Text: say.why(t.refer(m.slots[0]), m.word), Answer: t.reason(m)}
		q.Wrong = t.otherReasons(m, choose)
		return q, len(q.Wrong) == wrongChoices
	}
	return Question{}, false
}

// refer names a slot's record in a question.
func (t *telling) refer(s *slot) string { return t.grammar.speech.refer(t.word(s)) }

// others returns a form of other records of the slot's table: first those that the
// story mentions, then drawn ones.
func (t *telling) others(s *slot, form int, choose chance.Chooser) []string {
	var wrong []string
	add := func(i int) {
		text := s.table.records[i].forms[form]
		if len(wrong) < wrongChoices && i != t.bound[s.index] && !slices.Contains(wrong, text) {
			wrong = append(wrong, text)
		}
	}
	for _, other := range t.grammar.slots {
		if other.table == s.table && t.bound[other.index] >= 0 {
			add(t.bound[other.index])
		}
	}
	for len(wrong) < min(wrongChoices, len(s.table.records)-1) {
		add(int(choose.Below(uint64(len(s.table.records)))))
	}
	return wrong
}

// opposites returns feelings from the other side.
func (s *speech) opposites(feeling string, choose chance.Chooser) []string {
	side := s.feelings[0]
	if slices.Contains(side, feeling) {
		side = s.feelings[1]
	}
	var wrong []string
	for len(wrong) < wrongChoices {
		if f := side[choose.Below(uint64(len(side)))]; !slices.Contains(wrong, f) {
			wrong = append(wrong, f)
		}
	}
	return wrong
}

// reason renders why someone felt so.
func (t *telling) reason(m *mark) string {
	var b strings.Builder
	for _, o := range m.why {
		if o.code == opText {
			b.WriteString(o.text)
		} else {
			b.WriteString(o.slot.table.records[t.bound[o.slot.index]].forms[o.form])
		}
	}
	return b.String()
}

// otherReasons draws reasons that the grammar gives elsewhere for the same person, that
// can be said of this story's entities, and that didn't happen in it.
func (t *telling) otherReasons(m *mark, choose chance.Chooser) []string {
	var candidates []string
	for _, other := range t.grammar.reasons {
		if other.slots[0] == m.slots[0] && !t.happened(other) && t.sayable(other) {
			if text := t.reason(other); !slices.Contains(candidates, text) {
				candidates = append(candidates, text)
			}
		}
	}
	var wrong []string
	for len(wrong) < wrongChoices && len(candidates) > 0 {
		i := int(choose.Below(uint64(len(candidates))))
		wrong = append(wrong, candidates[i])
		candidates = slices.Delete(candidates, i, i+1)
	}
	return wrong
}

func (t *telling) happened(reason *mark) bool {
	return slices.ContainsFunc(t.trail.notes, func(n note) bool {
		return n.mark.kind == "why" && t.sayable(n.mark) && t.sayable(reason) && t.reason(n.mark) == t.reason(reason)
	})
}

func (t *telling) sayable(reason *mark) bool {
	return !slices.ContainsFunc(reason.why, func(o op) bool {
		return o.code == opSlot && t.bound[o.slot.index] < 0
	})
}
