package transfer

import (
	"maps"
	"slices"
	"strings"

	"tinygpt/finetune/metric"
)

// Score counts entities: all, and those of each type.
type Score struct {
	All   metric.Entities            `json:"all"`
	Types map[string]metric.Entities `json:"types"`
}

// Evaluate tags sentences and counts the entities.
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

// Kinds are the types that were counted, in order.
func (s Score) Kinds() []string { return slices.Sorted(maps.Keys(s.Types)) }

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

// only are the tags of one type, the others O.
func only(kind string, tags []string) []string {
	out := make([]string, len(tags))
	for i, tag := range tags {
		if out[i] = "O"; strings.HasSuffix(tag, "-"+kind) && len(tag) == len(kind)+2 {
			out[i] = tag
		}
	}
	return out
}
