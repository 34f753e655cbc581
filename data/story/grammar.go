package story

import (
	"math"
	"slices"
	"strings"
)

// grammar is the compiled grammar: the root rule with everything it reaches. It is
// immutable after loading.
type grammar struct {
	speech *speech
	root   *rule
	slots  []*slot
	tables map[string]*table
	rules  map[string]*rule // by name and arguments, as "sad A"
	// reasons are all reasons that marks give, the source of wrong choices in questions
	// about them.
	reasons []*mark
}

// rule is a choice between alternatives.
type rule struct {
	name         string
	alternatives []alternative
	total        uint64 // the sum of the weights
}

// alternative is one way to go on: its probability is weight/total of its rule.
type alternative struct {
	weight uint64
	bits   float64 // −log2 of its probability
	ops    []op
}

// op is one step of an alternative; code says which of the fields below it uses.
type op struct {
	code  opcode
	text  string // opText: the bytes
	slot  *slot  // opSlot: the slot; a first mention draws its record
	table *table // opDraw: the table to draw a word from that nobody remembers
	form  int    // opSlot, opDraw: column of the table
	rule  *rule  // opCall
	mark  *mark  // opMark: a note for the labels, no text
}

type opcode uint8

const (
	opText opcode = iota
	opSlot
	opDraw
	opCall
	opMark
)

// table is a weighted word list; each record has one text per form (column). The first
// column is the word itself.
type table struct {
	speech  *speech
	name    string
	kind    Kind // of the entities named by its records; empty for words that are no entities
	columns []string
	records []record
	total   uint64
	sums    []uint64 // sums[i] is the weight of records 0..i
}

// record is one row of a table.
type record struct {
	forms  []string
	name   []int // where the first column's word is in each form; −1: nowhere
	weight uint64
	bits   float64 // −log2 of weight/total
}

// slot is a place in the story's memory: it holds one record of its table from its
// first mention on. Slots of one table hold distinct records; rivals are those that
// must have been drawn before it.
type slot struct {
	name   string
	index  int
	table  *table
	rivals []*slot
}

// Words returns the words of one of the grammar's tables, the commonest first, each in
// a form of the table, as "in" of place; "" is the word itself.
func (l *Language) Words(name, form string) []string {
	return l.grammar().words(name, form)
}

func (g *grammar) words(name, form string) []string {
	t := g.tables[name]
	if t == nil {
		panic("story: no table " + name)
	}
	var words []string
	for _, r := range t.records {
		words = append(words, r.forms[slices.Index(t.columns, form)])
	}
	return words
}

func (t *table) seal() {
	t.total = 0
	t.sums = t.sums[:0]
	for i := range t.records {
		t.total += t.records[i].weight
		t.sums = append(t.sums, t.total)
	}
	for i := range t.records {
		r := &t.records[i]
		r.bits = informationOf(r.weight, t.total)
	}
}

// at returns the record in whose share of [0, total) the number n lies.
func (t *table) at(n uint64) int {
	i, found := slices.BinarySearch(t.sums, n)
	if found {
		i++
	}
	return i
}

// column returns the index of a form; "" is the word itself. Forms that the language
// derives are added at their first use. It returns −1 for other names.
func (t *table) column(form string) int {
	if form == "" {
		return 0
	}
	if i := slices.Index(t.columns, form); i >= 0 {
		return i
	}
	if t.speech.derive == nil {
		return -1
	}
	derive := t.speech.derive(t, form)
	if derive == nil {
		return -1
	}
	t.columns = append(t.columns, form)
	for i := range t.records {
		t.records[i].addForm(derive(t.records[i]))
	}
	return len(t.columns) - 1
}

func (r *record) addForm(text string) {
	r.forms = append(r.forms, text)
	r.name = append(r.name, strings.Index(text, r.forms[0]))
}

// informationOf returns −log2(weight/total).
func informationOf(weight, total uint64) float64 {
	if weight == total {
		return 0
	}
	return math.Log2(float64(total) / float64(weight))
}

// information returns the bits of drawing record i for the slot when its rivals hold
// the given records.
func (s *slot) information(i int, bound []int) float64 {
	if len(s.rivals) == 0 {
		return s.table.records[i].bits
	}
	total := s.table.total
	for _, r := range s.rivals {
		total -= s.table.records[bound[r.index]].weight
	}
	return informationOf(s.table.records[i].weight, total)
}

// free reports whether no rival of the slot holds record i.
func (s *slot) free(i int, bound []int) bool {
	for _, r := range s.rivals {
		if bound[r.index] == i {
			return false
		}
	}
	return true
}
