package metric

import "slices"

// Span is an entity: tokens [Start, End) of that type.
type Span struct {
	Type       string
	Start, End int
}

// Spans reads the entities off BIO tags as conlleval does: an I- that continues no
// entity of its type begins one (Tjong Kim Sang and De Meulder 2003).
func Spans(tags []string) []Span {
	var out []Span
	open := -1
	for i, tag := range tags {
		if len(tag) < 3 { // O
			open = -1
			continue
		}
		prefix, kind := tag[0], tag[2:]
		if prefix == 'I' && open >= 0 && out[open].Type == kind {
			out[open].End = i + 1
			continue
		}
		out = append(out, Span{kind, i, i + 1})
		open = len(out) - 1
	}
	return out
}

// Entities counts entities over sentences.
type Entities struct{ Correct, True, Predicted int }

// Add counts a sentence by the tags it has and those predicted: an entity is correct
// if type, beginning and end are.
func (e *Entities) Add(truth, predicted []string) {
	t, p := Spans(truth), Spans(predicted)
	e.True += len(t)
	e.Predicted += len(p)
	for _, s := range p {
		if slices.Contains(t, s) {
			e.Correct++
		}
	}
}

// Precision is the share of predicted entities that are correct.
func (e Entities) Precision() float64 { return float64(e.Correct) / float64(max(e.Predicted, 1)) }

// Recall is the share of true entities that were found.
func (e Entities) Recall() float64 { return float64(e.Correct) / float64(max(e.True, 1)) }

// F1 is the harmonic mean of both.
func (e Entities) F1() float64 { return 2 * float64(e.Correct) / float64(max(e.True+e.Predicted, 1)) }
