package quiz

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"tinygpt/data/story"
)

// The information that Generate gives, computed another way: from the text alone.
func TestBits(t *testing.T) {
	kinds := map[string]int{}
	for i := range 3000 {
		d := Generate(7, i)
		kind, bits := read(t, d.Text)
		kinds[kind]++
		if math.Abs(bits-d.Bits) > 1e-9*bits {
			t.Fatalf("document %d, %s: %v bits, but the text has %v:\n%s", i, kind, d.Bits, bits, d.Text)
		}
	}
	for _, task := range Tasks() {
		if kinds[task.Name] < 200 {
			t.Errorf("%d documents of %s", kinds[task.Name], task.Name)
		}
	}
	if kinds["book"] < 300 {
		t.Errorf("%d books", kinds["book"])
	}
}

// read finds the kind of a document and −log2 of its probability.
func read(t *testing.T, text string) (kind string, bits float64) {
	t.Helper()
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if !strings.HasPrefix(l, "- ") {
			t.Fatalf("line %q", l)
		}
		lines[i] = l[2:]
	}
	log := func(n int) float64 { return math.Log2(float64(n)) }
	bits = log(15) // numbers of lines from 6 to 20
	var mark string
	for _, m := range []string{" -> ", " : ", " = ", " | "} {
		if strings.Contains(lines[0], m) {
			mark = m
		}
	}
	if mark == "" {
		bits += log(16) - log(3)
		for _, l := range lines {
			bits += 2
			switch {
			case strings.HasPrefix(l, "The opposite"):
				bits += log(64)
			case strings.Contains(l, " makes "):
				bits += log(pairsOfSums())
			case strings.Contains(l, " and was "):
				bits += log(48) + log(32)
			default:
				bits += log(48) + log(26)
			}
		}
		return "book", bits
	}
	bits += 2 // the mark
	var questions, answers []string
	for _, l := range lines {
		q, a, ok := strings.Cut(l, mark)
		if !ok {
			t.Fatalf("%q has no %q", l, mark)
		}
		questions, answers = append(questions, q), append(answers, a)
	}
	// Agree counts the rules of which each gives all answers.
	agree := func(rules ...func(q string) string) (n int) {
		for _, rule := range rules {
			all := true
			for i := range questions {
				all = all && rule(questions[i]) == answers[i]
			}
			if all {
				n++
			}
		}
		return n
	}
	words := func(q string) []string { return strings.Fields(q) }
	n := float64(len(lines))
	switch q := questions[0]; {
	case strings.HasSuffix(q, "feel?"):
		return "feelings", bits + 3 + n*(log(36*35)+log(24*23)+1)
	case strings.HasSuffix(q, "?"):
		return "places", bits + 3 + n*(log(36*35)+log(26*25)+2)
	case strings.Contains(q, " and "):
		sum := func(f func(a, b int) int) func(string) string {
			return func(q string) string {
				var a, b int
				fmt.Sscanf(strings.ReplaceAll(q, " ", ""), "%3dand%3d", &a, &b)
				return strings.Join(strings.Split(fmt.Sprint(f(a, b)), ""), " ")
			}
		}
		right := agree(sum(func(a, b int) int { return a + b }), sum(func(a, b int) int { return max(a, b) }), sum(func(a, b int) int { return min(a, b) }))
		return "sums", bits + log(16) - log(3) + n*log(pairsOfSums()) + log(3) - log(right)
	case len(words(q)) == 1:
		other := func(q string) string {
			for _, p := range pairs {
				if p[0] == q {
					return p[1]
				} else if p[1] == q {
					return p[0]
				}
			}
			return ""
		}
		right := agree(other, func(q string) string { return q }, func(q string) string { return "not " + q }, func(q string) string { return "not " + other(q) })
		return "opposites", bits + 3 + n*log(48) + 2 - log(right)
	case len(words(q)) == 2:
		p := func(i, j int) func(string) string {
			return func(q string) string { return words(q)[i] + " " + words(q)[j] }
		}
		unlike := map[string]bool{}
		for _, p := range pairs {
			unlike[p[0]], unlike[p[1]] = true, true
		}
		for _, table := range []string{"thing", "animal", "toy", "food", "place", "spot"} {
			for _, w := range story.English.Words(table, "word") {
				unlike[w] = !strings.Contains(w, " ")
			}
		}
		delete(unlike, "chess set")
		objects := len(unlike) - len(unlike)/4
		return "patterns", bits + 3 + n*(log(objects)+log(objects-1)) + 2 - log(agree(p(0, 1), p(1, 0), p(0, 0), p(1, 1)))
	default:
		up := func(q string) string { return strings.Join(slices.Sorted(slices.Values(words(q))), " ") }
		back := func(q string) string {
			w := words(q)
			slices.Reverse(w)
			return strings.Join(w, " ")
		}
		right := agree(up, func(q string) string { return back(up(q)) }, back, func(q string) string { return q })
		return "sorting", bits + 3 + n*log(158*24) + 2 - log(right)
	}
}

func pairsOfSums() (n int) {
	for a := 100; a < 1000; a++ {
		for b := 100; a+b < 1000; b++ {
			if (a*7919+b*104729)%8 != 0 {
				n++
			}
		}
	}
	return n
}

// What an evaluation asks is in no sheet, and in no statement but as a statement.
func TestKept(t *testing.T) {
	seen := map[string]bool{}
	var books strings.Builder
	for i := range 8000 {
		d := Generate(1, i)
		for _, l := range strings.Split(d.Text, "\n") {
			for _, mark := range []string{" -> ", " : ", " = ", " | "} {
				if q, _, ok := strings.Cut(l, mark); ok {
					seen[q[2:]] = true
				}
			}
			if strings.HasSuffix(l, ".") {
				books.WriteString(l + "\n")
			}
		}
	}
	for _, task := range Tasks() {
		for i := range 200 {
			query, solved := task.Trial(3, i, 16)
			if seen[query.Question] {
				t.Errorf("%s: %q is in a sheet", task.Name, query.Question)
			}
			if len(query.Choices) != 4 || !slices.Contains(query.Choices, query.Answer) || !distinct(query.Choices) {
				t.Errorf("%s: %+v", task.Name, query)
			}
			if len(solved) != 16 {
				t.Errorf("%s: %d examples", task.Name, len(solved))
			}
			for _, e := range solved {
				if e.Question == query.Question {
					t.Errorf("%s: %q is among its own examples", task.Name, e.Question)
				}
			}
			switch task.Name {
			case "opposites":
				if !strings.Contains(books.String(), "The opposite of "+query.Question+" is "+query.Answer+".") {
					t.Errorf("no statement tells the opposite of %s", query.Question)
				}
			case "sums":
				if strings.Contains(books.String(), query.Question) {
					t.Errorf("%q is in a statement", query.Question)
				}
			}
		}
	}
}

// Before any example the best reader knows no more than that all rules are as likely;
// one of those that agree answers rightly after some.
func TestIdeal(t *testing.T) {
	for _, task := range Tasks() {
		mean := func(shots int) (sum float64) {
			for i := range 400 {
				query, solved := task.Trial(5, i, shots)
				sum += task.Ideal(solved, query) / 400
			}
			return sum
		}
		none := 1 / float64(len(task.rules))
		if got := mean(0); math.Abs(got-none) > 1e-9 {
			t.Errorf("%s: %v with no example, expected %v", task.Name, got, none)
		}
		if got := mean(4); got < 1-1e-9 {
			t.Errorf("%s: %v with four examples", task.Name, got)
		}
		if one := mean(1); one < none-1e-9 || one > 1+1e-9 {
			t.Errorf("%s: %v with one example", task.Name, one)
		}
	}
}

// Words occur once in the lists that they are drawn from; else the information would be
// wrong.
func TestWords(t *testing.T) {
	for name, words := range map[string][]string{
		"people": slices.Concat(people[0], people[1]), "objects": slices.Concat(objects[0], objects[1]),
		"adjectives": slices.Concat(adjectives[0], adjectives[1]), "events": slices.Concat(eventWords[0], eventWords[1]), "places": spotWords,
	} {
		if !distinct(words) {
			t.Errorf("%s: a word stands twice in %q", name, words)
		}
	}
}
