package quiz

import (
	"fmt"
	"math"

	"tinygpt/data/internal/chance"
)

// events lists what makes people feel each feeling. The last two of each are in no sheet,
// but are in statements.
var events = map[string][]string{
	"happy": {"won a race", "got a present", "met a friend", "ate a cake", "saw a rainbow", "found a coin", "made a kite", "heard a joke"},
	"sad":   {"lost a ring", "broke a cup", "missed a party", "dropped an egg", "tore a letter", "fell ill", "spilt the soup", "left a friend"},
	"angry": {"was pushed", "was blamed", "was robbed", "was cheated", "was mocked", "was kicked", "was tricked", "was insulted"},
	"afraid": {"heard a wolf", "saw a snake", "met a bear", "heard thunder", "saw a ghost", "got lost at night",
		"met a robber", "saw a shark"},
}

var feelingNames = []string{"happy", "sad", "angry", "afraid"}

// feelingOf is the feeling that each event makes; eventWords are the events of sheets [0] and
// those kept for evaluations [1].
var feelingOf, eventWords = func() (map[string]string, [2][]string) {
	of := map[string]string{}
	var words [2][]string
	for _, f := range feelingNames {
		for i, e := range events[f] {
			of[e] = f
			kept := 0
			if i >= 6 {
				kept = 1
			}
			words[kept] = append(words[kept], e)
		}
	}
	return of, words
}()

// feelings asks how one of two people feels. Names and events are kept.
var feelings = Task{
	Name: "feelings", Asks: "how does one of two people feel", weight: 2,
	rules: []func(question) string{part(0)},
	draw: func(c chance.Chooser, kept bool) question {
		names, words := pick(people, kept), pick(eventWords, kept)
		n1, n2 := chooseTwo(c, names)
		e1, e2 := chooseTwo(c, words)
		name, event := n1, e1
		if c.Below(2) == 1 {
			name, event = n2, e2
		}
		text := fmt.Sprintf("%s %s, %s %s. How does %s feel?", n1, e1, n2, e2, name)
		return question{text, []string{feelingOf[event]}, two(len(names)) + two(len(words)) + 1}
	},
	wrong: func(_ chance.Chooser, q question) (wrong []string) {
		for _, f := range feelingNames {
			if f != q.parts[0] {
				wrong = append(wrong, f)
			}
		}
		return wrong
	},
}

// eventBits is the information in one of all events.
var eventBits = math.Log2(float64(len(feelingOf)))
