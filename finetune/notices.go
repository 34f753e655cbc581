package finetune

import (
	"fmt"
	"strings"

	"tinygpt/data/labelled"
	"tinygpt/internal/number"
)

// notices say what is odd about examples, and seldom meant: labels that differ in capitals
// only, and a set to measure by of which a tenth or more was trained on.
func (s *Setup) notices(x *Examples) (notes []string) {
	as := map[string]string{}
	for _, label := range s.Classes {
		folded := strings.ToLower(label)
		if other := as[folded]; other != "" {
			notes = append(notes, fmt.Sprintf("the labels %s and %s differ in capitals only, and are different classes", other, label))
		}
		as[folded] = label
	}
	trained := map[string]bool{}
	for _, e := range x.Train {
		trained[inputOf(e)] = true
	}
	for _, set := range []struct {
		name, file string
		examples   []labelled.Example
	}{{"development", s.Dev, x.Dev}, {"test", s.Test, x.Test}} {
		seen := 0
		for _, e := range set.examples {
			if trained[inputOf(e)] {
				seen++
			}
		}
		if set.file != "" && 10*seen >= len(set.examples) && seen > 0 {
			notes = append(notes, fmt.Sprintf("%s of the %s %s examples are training examples too: of new texts their score says little", number.Thousands(seen), number.Thousands(len(set.examples)), set.name))
		}
	}
	return notes
}

// inputOf is what a model reads of an example.
func inputOf(e labelled.Example) string {
	return fmt.Sprintf("%q", [][]string{e.Texts, e.Choices, e.Tokens})
}
