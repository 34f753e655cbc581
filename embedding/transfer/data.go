package transfer

import (
	"fmt"
	"slices"

	"tinygpt/data"
	"tinygpt/data/labelled"
	"tinygpt/data/story"
	"tinygpt/finetune/metric"
)

// Sentence is words with their tags: B-TYPE for the first word of an entity, I-TYPE for
// the others, O outside of entities.
type Sentence struct{ Words, Tags []string }

// Sets has the sentences to train on, to choose the best epoch by, and to measure on.
type Sets struct{ Train, Dev, Test []Sentence }

// Read reads sentences from a CoNLL file: a word and its tag in each line, a blank line between
// sentences. Tags may be IOB1, as in CoNLL-2003, or IOB2; they are returned as IOB2. Errors name
// the file and the line.
func Read(path string, o data.Options) ([]Sentence, error) {
	examples, err := labelled.ReadExamples(path, labelled.CoNLL, labelled.Tagged, o)
	if err != nil {
		return nil, err
	}
	return sentencesOf(examples)
}

// Stories returns sentences of the built-in stories of a language, in which names are tagged: at
// most 400 to train on, since labels are costly in practice.
func Stories(l *story.Language) (Sets, error) {
	train, dev, test := labelled.Stories(l, "entities")
	var s Sets
	for _, set := range []struct {
		examples []labelled.Example
		most     int
		to       *[]Sentence
	}{{train, 400, &s.Train}, {dev, 200, &s.Dev}, {test, 500, &s.Test}} {
		var err error
		if *set.to, err = sentencesOf(set.examples[:min(set.most, len(set.examples))]); err != nil {
			return s, err
		}
	}
	return s, nil
}

// sentencesOf checks the tags and converts them to IOB2.
func sentencesOf(examples []labelled.Example) ([]Sentence, error) {
	var sentences []Sentence
	for _, e := range examples {
		for i, tag := range e.Tags {
			if tag == "0" { // a mistake in WikiGold
				e.Tags[i], tag = "O", "O"
			}
			if tag != "O" && (len(tag) < 3 || tag[1] != '-' || tag[0] != 'B' && tag[0] != 'I') {
				return nil, e.Errorf("tag %q of word %q: expected O, B-TYPE or I-TYPE", tag, e.Tokens[i])
			}
		}
		sentences = append(sentences, Sentence{e.Tokens, iob2(e.Tags)})
	}
	return sentences, nil
}

// iob2 returns the tags with B- for the first word of every entity.
func iob2(tags []string) []string {
	out := slices.Repeat([]string{"O"}, len(tags))
	for _, s := range metric.Spans(tags) {
		for i := s.Start; i < s.End; i++ {
			out[i] = "I-" + s.Type
		}
		out[s.Start] = "B-" + s.Type
	}
	return out
}

// Split divides sentences in their order: the first 70 % to train on, 10 % to choose by, 20 %
// to measure on. Fewer than ten are an error.
func Split(all []Sentence) (Sets, error) {
	a, b := len(all)*70/100, len(all)*80/100
	if a == 0 || b == a || b == len(all) {
		return Sets{}, fmt.Errorf("%d sentences are too few to divide into training, development and test: expected 10 or more, or a file for each", len(all))
	}
	return Sets{all[:a], all[a:b], all[b:]}, nil
}
