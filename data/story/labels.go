package story

import (
	"slices"

	"tinygpt/data/internal/chance"
)

// Kind is the kind of an entity.
type Kind string

// The kinds of entities. Animals are things that live.
const (
	Person   Kind = "PER"
	Location Kind = "LOC"
	Thing    Kind = "THING"
)

// Sentiment is how a story turns out for its people.
type Sentiment string

// The sentiments. A mixed story ends well for some and badly for others, or half well.
const (
	Positive Sentiment = "positive"
	Negative Sentiment = "negative"
	Mixed    Sentiment = "mixed"
)

// Labels is what is known of a story because it was generated.
type Labels struct {
	Topic     string // the plot family, one of Topics
	Hero      string // whom the story is about, by name
	Sentiment Sentiment
	Sentences []Span // in order, without the space between them
	// Entities are the people, places and things that the story keeps track of, in the
	// order of their first mention. Nouns that only pass by ("an old boot") are none.
	Entities  []Entity
	Links     []Link
	Questions []Question
}

// Span is the half-open range [Start, End) of bytes of the text.
type Span struct{ Start, End int }

// Entity is a person, place or thing.
type Entity struct {
	Name     string // as in the text, without article
	Kind     Kind
	Mentions []Span // each spans the name; pronouns are no mentions
}

// LinkKind tells how one sentence follows from another.
type LinkKind string

// The kinds of causal links.
const (
	Causes   LinkKind = "cause"   // the event brings the effect about
	Motive   LinkKind = "motive"  // the event moves someone to act
	Feeling  LinkKind = "feeling" // the event makes someone feel so
	Prevents LinkKind = "prevent" // the event keeps something from being done
)

// Link says that sentence Effect follows from sentence Cause (indices into Sentences).
type Link struct {
	Cause, Effect int
	Kind          LinkKind
}

// Labels tells the story again and returns what its marks say.
func (s Story) Labels() Labels {
	t := newTelling(s.language.grammar(), drawn{chance.New(s.seed, uint64(s.index))})
	t.trail = &trail{}
	t.tell(t.grammar.root)
	return t.labels(chance.New(^s.seed, uint64(s.index)))
}

// sentimentOf is the sentiment that a mark says.
var sentimentOf = map[string]Sentiment{"good": Positive, "bad": Negative, "mixed": Mixed}

// hero is the slot of the person whom a story is about.
const hero = "A"

// labels says what the marks of a telling with a trail say. The wrong answers of its
// questions are drawn.
func (t *telling) labels(choose chance.Chooser) Labels {
	l := Labels{Sentences: t.grammar.speech.sentences(string(t.text))}
	for _, s := range t.grammar.slots {
		if s.name == hero && t.bound[s.index] >= 0 {
			l.Hero = t.word(s)
		}
	}
	l.Entities = entities(t)
	events := map[string]int{}
	for _, n := range t.trail.notes {
		here := sentenceAt(l.Sentences, n.offset)
		switch m := n.mark; m.kind {
		case "topic":
			l.Topic = m.word
		case "good", "bad", "mixed":
			l.Sentiment = sentimentOf[m.kind]
		case "event":
			events[m.word] = here
		case "cause", "motive", "feeling", "prevent":
			if from, ok := events[m.word]; ok && from != here {
				link := Link{from, here, LinkKind(m.kind)}
				if !slices.Contains(l.Links, link) {
					l.Links = append(l.Links, link)
				}
			}
		}
	}
	l.Questions = questions(t, choose)
	return l
}

// Topics returns all plot families, in the order of the grammar.
func (l *Language) Topics() []string {
	var topics []string
	for _, a := range l.grammar().root.alternatives {
		for _, o := range a.ops {
			if o.code == opMark && o.mark.kind == "topic" {
				topics = append(topics, o.mark.word)
			}
		}
	}
	return topics
}

func entities(t *telling) []Entity {
	var out []Entity
	index := map[*slot]int{}
	for _, m := range t.trail.mentions {
		i, ok := index[m.slot]
		if !ok {
			i = len(out)
			index[m.slot] = i
			out = append(out, Entity{Name: t.word(m.slot), Kind: m.slot.table.kind})
		}
		out[i].Mentions = append(out[i].Mentions, m.span)
	}
	return out
}

// word returns the word that the slot holds.
func (t *telling) word(s *slot) string { return s.table.records[t.bound[s.index]].forms[0] }

// sentenceAt returns the sentence that the offset lies in, or the next one if it lies
// between two.
func sentenceAt(spans []Span, offset int) int {
	for i, s := range spans {
		if offset < s.End {
			return i
		}
	}
	return len(spans) - 1
}
