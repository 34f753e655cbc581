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
// an animal lives and how it cries, how an English verb is said of the past, which measure
// word a Chinese noun has.
func (l *Language) Analogies() string {
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
	g := l.segmented()
	var elders [][2]string
	words, sexes := g.words("elder", "word"), g.words("elder", "sex")
	for i := 0; i+1 < len(words); i += 2 {
		if sexes[i] == "f" && sexes[i+1] == "m" {
			elders = append(elders, [2]string{words[i], words[i+1]})
		}
	}
	section("female-male", elders)
	var people [][2]string
	pronouns := g.words("person", "he")
	for i, name := range g.words("person", "word") {
		people = append(people, [2]string{strings.ToLower(name), pronouns[i]})
	}
	section("name-pronoun", people[:min(len(people), 16)])
	for _, p := range g.speech.pairs {
		section(p.section, g.pairsOf(p))
	}
	return b.String()
}

// pairs are two forms of a table whose first words are pairs of analogies.
type pairs struct{ section, table, from, to string }

// pairsOf pairs the first words of the two forms, those that differ and are in no other
// pair.
func (g *grammar) pairsOf(p pairs) (out [][2]string) {
	a, b := g.words(p.table, p.from), g.words(p.table, p.to)
	seen := map[string]bool{}
	for i := range a {
		x, _, _ := strings.Cut(strings.ToLower(a[i]), " ")
		y, _, _ := strings.Cut(strings.ToLower(b[i]), " ")
		if x == y || seen[x] || seen[y] || slices.Contains([]string{"", "a", "the"}, x) {
			continue
		}
		seen[x], seen[y] = true, true
		out = append(out, [2]string{x, y})
	}
	return out
}
