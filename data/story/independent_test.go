package story

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"tinygpt/internal/expect"
)

// teller reads the grammar's files and tells stories in its own way: it expands the text of
// a rule as it finds it. It shares nothing with the package but the notation, so it can
// check what the package computes.
type teller struct {
	rules  map[string][]line
	tables map[string]*rows
	slots  map[string]string   // slot: table
	order  map[string][]string // table: its slots
	spaces bool
}

type line struct {
	weight float64
	text   string
}

type rows struct {
	columns []string
	cells   [][]string
}

func readTeller(t *testing.T, folder string, spaces bool) *teller {
	t.Helper()
	g := &teller{map[string][]line{}, map[string]*rows{}, map[string]string{}, map[string][]string{}, spaces}
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no grammar in ", folder, err)
	}
	for _, f := range files {
		text := expect.File(t, f)
		var kind, name string
		for _, l := range strings.Split(string(text), "\n") {
			body := strings.TrimSpace(l)
			if body == "" || strings.HasPrefix(l, "#") {
				continue
			}
			if !strings.HasPrefix(l, " ") {
				head, rest, _ := strings.Cut(l, ":")
				words := strings.Fields(head)
				kind, name = words[0], words[1]
				body = strings.TrimSpace(rest)
				switch kind {
				case "slots":
					g.order[name] = strings.Fields(body)
					for _, s := range g.order[name] {
						g.slots[s] = name
					}
					continue
				case "list":
					g.tables[name] = &rows{columns: []string{"word"}}
				case "table":
					g.tables[name] = &rows{columns: strings.Fields(body)}
					continue
				case "rule":
					continue
				}
			}
			switch kind {
			case "list":
				for _, w := range strings.Split(body, ",") {
					if w = strings.TrimSpace(w); w != "" {
						g.tables[name].cells = append(g.tables[name].cells, []string{w})
					}
				}
			case "table":
				var cells []string
				for _, c := range strings.Split(body, "|") {
					cells = append(cells, strings.TrimSpace(c))
				}
				g.tables[name].cells = append(g.tables[name].cells, cells)
			case "rule":
				number, rest, _ := strings.Cut(body, " ")
				w, err := strconv.ParseFloat(number, 64)
				if err != nil {
					t.Fatal(err)
				}
				g.rules[name] = append(g.rules[name], line{w, rest})
			}
		}
	}
	return g
}

// told is a story of the teller.
type told struct {
	text  strings.Builder
	bits  float64
	bound map[string]int
}

func zipf(rank int) float64 { return math.Floor(1e6 / float64(rank+3)) }

// pick draws one of n ranks that aren't taken, by Zipf's law.
func (g *teller) pick(r *rand.Rand, n int, taken map[int]bool, s *told) int {
	total := 0.0
	for i := range n {
		if !taken[i] {
			total += zipf(i)
		}
	}
	x := r.Float64() * total
	for i := range n {
		if taken[i] {
			continue
		}
		if x -= zipf(i); x < 0 {
			s.bits -= math.Log2(zipf(i) / total)
			return i
		}
	}
	panic("no rank")
}

func (g *teller) expand(r *rand.Rand, s *told, rule string, args []string) {
	lines := g.rules[rule]
	total := 0.0
	for _, l := range lines {
		total += l.weight
	}
	x := r.Float64() * total
	var l line
	for _, l = range lines {
		if x -= l.weight; x < 0 {
			break
		}
	}
	s.bits -= math.Log2(l.weight / total)
	argument := func(name string) string {
		if i, err := strconv.Atoi(name); err == nil && len(name) == 1 {
			return args[i-1]
		}
		return name
	}
	for text := l.text; text != ""; {
		open := strings.IndexAny(text, "{<[")
		if open != 0 {
			if open < 0 {
				open = len(text)
			}
			s.text.WriteString(g.literal(text[:open]))
			text = text[open:]
			continue
		}
		end := strings.IndexAny(text, "}>]")
		inner, kind := text[1:end], text[0]
		text = text[end+1:]
		name, form, _ := strings.Cut(inner, ".")
		switch kind {
		case '[': // a why may hold slots: its end is the last bracket
			for strings.Count(inner, "{") > strings.Count(inner, "}") || !strings.HasSuffix(inner, "]") && strings.Contains(inner, "{") {
				next := strings.IndexAny(text, "}]")
				inner += "}" + text[:next+1]
				text = text[next+1:]
			}
		case '{':
			slot := argument(name)
			table := g.tables[g.slots[slot]]
			if _, ok := s.bound[slot]; !ok {
				taken := map[int]bool{}
				for _, other := range g.order[g.slots[slot]] {
					if i, ok := s.bound[other]; ok {
						taken[i] = true
					}
				}
				s.bound[slot] = g.pick(r, len(table.cells), taken, s)
			}
			s.text.WriteString(g.form(table, s.bound[slot], form))
		case '<':
			words := strings.Fields(inner)
			name, form, _ := strings.Cut(words[0], ".")
			if table := g.tables[name]; table != nil {
				s.text.WriteString(g.form(table, g.pick(r, len(table.cells), nil, s), form))
				continue
			}
			var passed []string
			for _, w := range words[1:] {
				passed = append(passed, argument(w))
			}
			g.expand(r, s, words[0], passed)
		}
	}
}

func (g *teller) literal(text string) string {
	if !g.spaces {
		text = strings.ReplaceAll(text, " ", "")
	}
	text = strings.ReplaceAll(text, "~", "")
	return strings.ReplaceAll(text, "_", " ")
}

// form is a cell of a row; of forms that no column has only the length matters here.
func (g *teller) form(t *rows, row int, form string) string {
	if form == "" {
		return g.literal(t.cells[row][0])
	}
	for i, c := range t.columns {
		if c == form {
			return g.literal(t.cells[row][i])
		}
	}
	lower := strings.ToLower(form)
	if lower != form && lower != "a" {
		return g.form(t, row, lower) // a capital is as long
	}
	if lower == "a" {
		word := t.cells[row][0]
		if strings.ContainsRune("aeiou", rune(word[0])) != (strings.HasPrefix(word, "one") || strings.HasPrefix(word, "uni") || strings.HasPrefix(word, "use") || strings.HasPrefix(word, "hon") || strings.HasPrefix(word, "hour")) {
			return "an " + word
		}
		return "a " + word
	}
	pronouns := map[string]map[string]string{
		"m": {"he": "he", "him": "him", "his": "his", "himself": "himself", "boy": "boy", "brother": "brother"},
		"f": {"he": "she", "him": "her", "his": "her", "himself": "herself", "boy": "girl", "brother": "sister"},
		"n": {"he": "it", "him": "it", "his": "its", "himself": "itself", "boy": "one", "brother": "friend"},
	}
	if !g.spaces {
		pronouns = map[string]map[string]string{"m": {"he": "他", "boy": "男孩"}, "f": {"he": "她", "boy": "女孩"}}
	}
	p, ok := pronouns[t.cells[row][1]][lower]
	if !ok {
		panic("form " + form)
	}
	return p
}

// The exact expectations against stories that other code has told, within five standard
// errors.
func TestEntropyElsewhere(t *testing.T) {
	each(t, func(t *testing.T, lang *Language) {
		g := readTeller(t, map[string]string{"en": "english", "zh": "chinese"}[lang.Name], lang.Name == "en")
		r := rand.New(rand.NewPCG(1, 2))
		const n = 10000
		var m moments
		known := 0
		for i := range n {
			s := &told{bound: map[string]int{}}
			g.expand(r, s, "story", nil)
			b := s.bits
			m.add(b, s.text.Len())
			// Where no capital is derived, the package knows the story too.
			if lang == Chinese && i < 300 {
				if got, ok := lang.LogProb(s.text.String()); ok && math.Abs(got-b) < 1e-9*b {
					known++
				} else {
					t.Errorf("%v bits, want %v: %s", got, b, s.text.String())
				}
			}
		}
		m.check(t, lang.ExactEntropy(), "told otherwise")
		if lang == Chinese && known != 300 {
			t.Errorf("%d of 300 stories are known", known)
		}
	})
}

// A grammar that is small enough to list all of its texts: the entropy is the sum over them.
func TestEntropyListed(t *testing.T) {
	files := fstest.MapFS{"toy.txt": {Data: []byte(`table who PER: word sex
  甲 | m
  乙乙 | f
  丙 | m
slots who: A B
list what: 茶, 米饭
rule story:
  3 {A} 吃 <what>。<end B>
  1 {A} 和 {B} 睡觉。
rule end:
  2 {1} 看 着。
  1 ~
`)}}
	for _, spaces := range []bool{false, true} {
		g, err := readGrammar(files, &speech{pronounForms: []string{"he"}, pronouns: map[string][]string{"m": {"他"}, "f": {"她"}}}, spaces)
		if err != nil {
			t.Fatal(err)
		}
		names, foods := []string{"甲", "乙乙", "丙"}, []string{"茶", "米饭"}
		blank := map[bool]string{true: " "}[spaces]
		texts := map[string]float64{}
		all := func(n int) (sum float64) {
			for i := range n {
				sum += zipf(i)
			}
			return sum
		}
		for a := range names {
			pa := zipf(a) / all(3)
			for f := range foods {
				p := 0.75 * pa * zipf(f) / all(2)
				text := fmt.Sprint(names[a], blank, "吃", blank, foods[f], "。")
				texts[text] += p / 3
				for b := range names {
					if b != a {
						texts[text+names[b]+blank+"看"+blank+"着。"] += p * 2 / 3 * zipf(b) / (all(3) - zipf(a))
					}
				}
			}
			for b := range names {
				if b != a {
					texts[fmt.Sprint(names[a], blank, "和", blank, names[b], blank, "睡觉。")] += 0.25 * pa * zipf(b) / (all(3) - zipf(a))
				}
			}
		}
		var bits, bytes, sum float64
		for text, p := range texts {
			bits -= p * math.Log2(p)
			bytes += p * float64(len(text))
			sum += p
		}
		e := g.entropy()
		if math.Abs(sum-1) > 1e-12 || math.Abs(e.BitsPerStory-bits) > 1e-9 || math.Abs(e.BytesPerStory-bytes) > 1e-9 {
			t.Errorf("spaces %v: %+v, but all %d texts together (probability %v) have %v bits and %v bytes", spaces, e, len(texts), sum, bits, bytes)
		}
	}
}
