package query

import (
	"fmt"
	"io"
	"strings"

	"tinygpt/internal/userfile"
	"tinygpt/model/kernel"
)

// Section is a part of a file of analogies, like capital-common-countries.
type Section struct {
	Name string
	// Questions are four words each: a is to b as c is to d.
	Questions [][4]string
}

// ParseQuestions reads analogies in the format of word2vec's questions-words.txt: a line
// ": name" begins a section, each other line has four words. Errors begin with name and the
// line.
func ParseQuestions(r io.Reader, name string) ([]Section, error) {
	return parseLines(r, name, "questions", func(sections []Section, n int, line string) ([]Section, error) {
		if section, ok := strings.CutPrefix(line, ":"); ok {
			return append(sections, Section{Name: strings.TrimSpace(section)}), nil
		}
		words := strings.Fields(line)
		if len(words) != 4 {
			return nil, fmt.Errorf("%s, line %d has %d words: expected four, a is to b as c is to d, or \": name\" to begin a section", name, n, len(words))
		}
		if len(sections) == 0 {
			sections = append(sections, Section{Name: name})
		}
		last := &sections[len(sections)-1]
		last.Questions = append(last.Questions, [4]string(words))
		return sections, nil
	})
}

// parseLines reads a file with one item a line: add appends the item of line n to all. A file
// without items is an error, which calls them what.
func parseLines[T any](r io.Reader, name, what string, add func(all []T, n int, line string) ([]T, error)) (all []T, err error) {
	if err := userfile.EachLine(r, name, func(n int, line []byte) (err error) {
		all, err = add(all, n, string(line))
		return err
	}); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: there are no %s in it", name, what)
	}
	return all, nil
}

// SectionScore counts a section's right answers.
type SectionScore struct {
	Name string `json:"name"`
	// Questions is the number of those whose four words are in the vocabulary, Unknown that of
	// the others.
	Questions int `json:"questions"`
	Unknown   int `json:"unknown"`
	// Correct has the number of right answers for each method.
	Correct []int `json:"correct"`
}

// Share returns the share of right answers by method i, in percent of Questions.
func (s SectionScore) Share(i int) float64 {
	return 100 * float64(s.Correct[i]) / float64(max(s.Questions, 1))
}

// Sum adds up the sections for which take returns true, all if take is nil, under a name.
func Sum(name string, sections []SectionScore, take func(SectionScore) bool) SectionScore {
	sum := SectionScore{Name: name}
	for _, s := range sections {
		if take != nil && !take(s) {
			continue
		}
		sum.Questions += s.Questions
		sum.Unknown += s.Unknown
		if sum.Correct == nil {
			sum.Correct = make([]int, len(s.Correct))
		}
		for i, n := range s.Correct {
			sum.Correct[i] += n
		}
	}
	return sum
}

// Fold says how the words of a test are looked up in the vocabulary.
type Fold bool

const (
	// ExactCase finds a word that is the same.
	ExactCase Fold = false
	// IgnoreCase finds the first word that has the same letters in any case, as gensim does.
	IgnoreCase Fold = true
)

// rows returns a function that looks up the row of a test's word.
func (s *Space) rows(f Fold) func(string) (int, bool) {
	if f == ExactCase {
		return func(w string) (int, bool) { i, ok := s.index[w]; return i, ok }
	}
	folded := make(map[string]int, len(s.Words))
	for i, w := range s.Words {
		if w = strings.ToLower(w); folded[w] == 0 {
			folded[w] = i + 1
		}
	}
	return func(w string) (int, bool) {
		i := folded[strings.ToLower(w)]
		return i - 1, i > 0
	}
}

// candidates is how many words are compared with the questions at a time.
const candidates = 2048

// Score answers the questions by each of the methods and returns the counts of each section.
// The answer is the best word that isn't one of the question's first three, among equal scores
// the first of the vocabulary; it is right if it is the fourth.
func (s *Space) Score(sections []Section, methods []Method, fold Fold) []SectionScore {
	find := s.rows(fold)
	out := make([]SectionScore, len(sections))
	for i, section := range sections {
		e := &examination{space: s, methods: methods, places: map[int]int{}}
		out[i] = SectionScore{Name: section.Name, Correct: make([]int, len(methods))}
		for _, q := range section.Questions {
			var rows [4]int
			known := true
			for j, w := range q {
				row, ok := find(w)
				rows[j], known = row, known && ok
			}
			if !known {
				out[i].Unknown++
				continue
			}
			e.add(rows)
		}
		out[i].Questions = len(e.questions)
		e.answer()
		for _, q := range e.questions {
			for m, best := range q.best {
				if best.row == q.rows[3] {
					out[i].Correct[m]++
				}
			}
		}
	}
	return out
}

// examination is the questions of one section. A few words occur in many questions, so their
// cosines with a block of candidates are computed once, and all questions read them while they
// are in cache.
type examination struct {
	space     *Space
	methods   []Method
	questions []*question
	words     []int       // rows of the words in the questions
	places    map[int]int // from a row to its index in words
}

// question is an analogy with the best answers so far.
type question struct {
	rows   [4]int // of its words
	places [3]int // of the first three in the examination's words
	terms  terms
	best   []answer // by method
}

type answer struct {
	row   int
	score float32
}

func (e *examination) add(rows [4]int) {
	q := &question{rows: rows, best: make([]answer, len(e.methods))}
	for i, row := range rows[:3] {
		place, ok := e.places[row]
		if !ok {
			place = len(e.words)
			e.places[row] = place
			e.words = append(e.words, row)
		}
		q.places[i] = place
	}
	for i := range q.best {
		q.best[i] = answer{-1, 0}
	}
	a, b, c := rows[0], rows[1], rows[2]
	q.terms = termsOf(e.space.cosine(a, b), e.space.cosine(a, c), e.space.cosine(b, c))
	e.questions = append(e.questions, q)
}

// answer finds the best words. Each question goes through the candidates in order, so the
// result doesn't depend on the number of threads.
func (e *examination) answer() {
	s, d := e.space, e.space.Dim
	asked := make([]float32, 0, len(e.words)*d)
	for _, row := range e.words {
		asked = append(asked, s.Unit(row)...)
	}
	cosines := make([]float32, len(e.words)*candidates)
	for from := 0; from < len(s.Words) && len(e.questions) > 0; from += candidates {
		n := min(candidates, len(s.Words)-from)
		kernel.Product{TransB: true, M: len(e.words), N: n, K: d, A: asked, B: s.unit[from*d:], C: cosines}.Compute()
		kernel.Each(len(e.questions), func(i int) { e.questions[i].consider(e.methods, cosines, from, n) })
	}
}

// consider compares n candidates, the rows from on, with the best answers so far. cosines is
// [words, n].
func (q *question) consider(methods []Method, cosines []float32, from, n int) {
	a, b, c := cosines[q.places[0]*n:][:n], cosines[q.places[1]*n:][:n], cosines[q.places[2]*n:][:n]
	for i, m := range methods {
		best := q.best[i]
		for j := range a {
			score := m.score(a[j], b[j], c[j], q.terms)
			if best.row >= 0 && score <= best.score {
				continue
			}
			if row := from + j; row != q.rows[0] && row != q.rows[1] && row != q.rows[2] {
				best = answer{row, score}
			}
		}
		q.best[i] = best
	}
}
