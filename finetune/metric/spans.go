package metric

// Span is an entity of a type: tokens Start to End−1.
type Span struct {
	Type       string
	Start, End int
}

// Spans returns the entities that BIO tags mark, as conlleval does: an I- that doesn't continue
// an entity of its type begins one (Tjong Kim Sang and De Meulder 2003).
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

// Entities has the numbers of true entities, of predicted ones, and of predicted ones that are
// correct.
type Entities struct{ Correct, True, Predicted int }

// Add counts the entities of a sentence, given its true and its predicted tags. An entity is
// correct if its type, beginning and end are.
func (e *Entities) Add(truth, predicted []string) {
	t, p := Spans(truth), Spans(predicted)
	e.True += len(t)
	e.Predicted += len(p)
	for _, s := range p { // both ascend
		for len(t) > 0 && t[0].Start < s.Start {
			t = t[1:]
		}
		if len(t) > 0 && t[0] == s {
			e.Correct++
		}
	}
}

// Precision returns the share of predicted entities that are correct, 0 to 1.
func (e Entities) Precision() float64 { return float64(e.Correct) / float64(max(e.Predicted, 1)) }

// Recall returns the share of true entities that were predicted correctly, 0 to 1.
func (e Entities) Recall() float64 { return float64(e.Correct) / float64(max(e.True, 1)) }

// F1 returns the harmonic mean of precision and recall.
func (e Entities) F1() float64 { return 2 * float64(e.Correct) / float64(max(e.True+e.Predicted, 1)) }
