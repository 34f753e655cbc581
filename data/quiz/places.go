package quiz

import (
	"fmt"

	"tinygpt/data/internal/chance"
	"tinygpt/data/story"
)

// spotWords are where people are, and spotsIn the same with their prepositions.
var spotWords, spotsIn = story.English.Words("place", "word"), func() map[string]string {
	in := map[string]string{}
	for i, form := range story.English.Words("place", "in") {
		in[story.English.Words("place", "word")[i]] = form
	}
	return in
}()

// places asks where one of two people is, or who of them is at a place. The names are
// kept.
var places = Task{
	Name: "places", Asks: "who is where", weight: 2,
	rules: []func(question) string{part(0)},
	draw: func(c chance.Chooser, kept bool) question {
		names := pick(people, kept)
		n1, n2 := chooseTwo(c, names)
		p1, p2 := chooseTwo(c, spotWords)
		text := fmt.Sprintf("%s is %s, %s is %s.", n1, spotsIn[p1], n2, spotsIn[p2])
		bits := two(len(names)) + two(len(spotWords)) + 2
		name, place, otherName, otherPlace := n1, p1, n2, p2
		if c.Below(2) == 1 {
			name, place, otherName, otherPlace = n2, p2, n1, p1
		}
		if c.Below(2) == 1 {
			return question{text + " Who is " + spotsIn[place] + "?", []string{name, otherName}, bits}
		}
		return question{text + " Where is " + name + "?", []string{place, otherPlace}, bits}
	},
	// The other of the two, and two of whom or which nothing was said.
	wrong: func(c chance.Chooser, q question) []string {
		words := spotWords
		if _, isPlace := spotsIn[q.parts[0]]; !isPlace {
			words = people[1]
		}
		a, b := chooseTwo(c, words)
		return []string{q.parts[1], a, b}
	},
}
