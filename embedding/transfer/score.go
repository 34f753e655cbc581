package transfer

import (
	"maps"
	"slices"
	"strings"

	"tinygpt/finetune/metric"
)

// Score has the counts of entities that were found and missed: of all, and of each type.
type Score struct {
	All   metric.Entities            `json:"all"`
	Types map[string]metric.Entities `json:"types"`
}

// Evaluate tags sentences and compares the entities with those of their own tags. An error is
// one of Tag.
func (t *Tagger) Evaluate(sentences []Sentence) (Score, error) {
	predicted, err := t.Tag(sentences)
	if err != nil {
		return Score{}, err
	}
	s := Score{Types: map[string]metric.Entities{}}
	for i, sentence := range sentences {
		s.All.Add(sentence.Tags, predicted[i])
		for kind := range kinds(sentence.Tags, predicted[i]) {
			e := s.Types[kind]
			e.Add(only(kind, sentence.Tags), only(kind, predicted[i]))
			s.Types[kind] = e
		}
	}
	return s, nil
}

// Kinds returns the types of entities that were counted, sorted.
func (s Score) Kinds() []string { return slices.Sorted(maps.Keys(s.Types)) }

// kinds returns the types of entities in the tags.
func kinds(lists ...[]string) map[string]bool {
	found := map[string]bool{}
	for _, tags := range lists {
		for _, tag := range tags {
			if _, kind, ok := strings.Cut(tag, "-"); ok {
				found[kind] = true
			}
		}
	}
	return found
}

// only returns tags with O in place of those of other types.
func only(kind string, tags []string) []string {
	out := make([]string, len(tags))
	for i, tag := range tags {
		if out[i] = "O"; strings.HasSuffix(tag, "-"+kind) && len(tag) == len(kind)+2 {
			out[i] = tag
		}
	}
	return out
}
