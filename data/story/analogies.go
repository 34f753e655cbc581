package story

import (
	"fmt"
	"slices"
	"strings"
)

// Analogies are questions about the world of the stories in the form of word2vec's
// questions-words.txt: lines of four words, of which the fourth answers "the first is
// to the second as the third is to what?", in sections. Words are in lower case. The
// grammar gives the pairs: who is female and who is male, what a dish is made of, where
// an animal lives and how it cries, how a verb is said of the past.
func Analogies() string {
	var b strings.Builder
	section := func(name string, pairs [][2]string) {
		fmt.Fprintf(&b, ": %s\n", name)
		for _, p := range pairs {
			for _, q := range pairs {
				if p[0] != q[0] && p[1] != q[1] {
					fmt.Fprintf(&b, "%s %s %s %s\n", p[0], p[1], q[0], q[1])
				}
			}
		}
	}
	var elders [][2]string
	words, sexes := Words("elder", "word"), Words("elder", "sex")
	for i := 0; i+1 < len(words); i += 2 {
		if sexes[i] == "f" && sexes[i+1] == "m" {
			elders = append(elders, [2]string{words[i], words[i+1]})
		}
	}
	section("female-male", elders)
	var people [][2]string
	for i, name := range Words("person", "word") {
		pronoun := map[string]string{"f": "she", "m": "he"}[Words("person", "sex")[i]]
		people = append(people, [2]string{strings.ToLower(name), pronoun})
	}
	section("name-pronoun", people[:min(len(people), 16)])
	section("dish-ingredient", pairsOf("food", "word", "part"))
	section("animal-home", pairsOf("animal", "word", "home"))
	section("animal-cry", pairsOf("animal", "word", "cry"))
	section("gram-past-tense", pairsOf("toy", "use", "used"))
	return b.String()
}

// pairsOf pairs the first words of two forms of a table's records, those that differ
// and are in no other pair.
func pairsOf(table, from, to string) (pairs [][2]string) {
	a, b := Words(table, from), Words(table, to)
	seen := map[string]bool{}
	for i := range a {
		x, _, _ := strings.Cut(strings.ToLower(a[i]), " ")
		y, _, _ := strings.Cut(strings.ToLower(b[i]), " ")
		if x == y || seen[x] || seen[y] || slices.Contains([]string{"", "a", "the"}, x) {
			continue
		}
		seen[x], seen[y] = true, true
		pairs = append(pairs, [2]string{x, y})
	}
	return pairs
}
