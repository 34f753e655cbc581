package story

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"tinygpt/data/internal/chance"
)

// The notation. A line that begins in the first column opens a block; indented lines
// are its body; # begins a comment line.
//
//	list colour:                     a table of one column, words separated by
//	                                 commas, the commonest first
//	table toy THING: word use        a table with named columns and, optionally,
//	                                 a kind; rows separate them by |
//	slots person: A B C              slots that hold distinct records of one
//	                                 table, drawn in this order
//	rule sad:                        a rule; each line is a weight and an alternative
//	  3 {1.He} was <very>sad.
//
// Within an alternative
//
//	{A} {A.his} {A.His}              a mention of a slot, in a form of its table;
//	                                 a capital asks for a capital letter
//	<colour> <colour.a>              a word of a table that isn't remembered; "a"
//	                                 is the form with its article
//	<sad A>                          another rule, in whose text {1} stands for {A}
//	[feels A sad]                    a note for the labels (see marks.go)
//	_  ~  \n                         a space (at the beginning of an alternative),
//	                                 nothing, a line break
//
// In a language that is written without spaces, a space divides words and isn't printed.

// readGrammar reads all *.txt files of a folder and compiles the rule named story.
// Spaces are left out unless they are kept.
func readGrammar(files fs.FS, s *speech, spaces bool) (*grammar, error) {
	r := &reader{
		g:      &grammar{speech: s, tables: map[string]*table{}, rules: map[string]*rule{}},
		spaces: spaces,
		slots:  map[string]*slot{}, drafts: map[string]*draft{},
	}
	names, err := fs.Glob(files, "*.txt")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		if err := r.readFile(name, string(text)); err != nil {
			return nil, err
		}
	}
	for _, t := range r.g.tables {
		t.seal()
	}
	for _, d := range r.slotDrafts {
		if err := r.declareSlots(d); err != nil {
			return nil, err
		}
	}
	if r.g.root, err = r.compile("story", nil); err != nil {
		return nil, err
	}
	return r.g, nil
}

type reader struct {
	g          *grammar
	spaces     bool
	slots      map[string]*slot
	slotDrafts []slotDraft
	drafts     map[string]*draft // rules not yet compiled
}

// place is where something was written, for errors.
type place struct {
	file string
	line int
}

func (p place) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.file, p.line, fmt.Sprintf(format, args...))
}

type draft struct {
	place
	lines []draftLine
	used  bool
	open  bool // being compiled: meeting it again means recursion
}

type draftLine struct {
	place
	weight uint64
	text   string
}

type slotDraft struct {
	place
	table string
	names []string
}

// readFile reads the blocks of one file.
func (r *reader) readFile(name, text string) error {
	var body func(at place, line string) error
	for i, line := range strings.Split(text, "\n") {
		at := place{name, i + 1}
		line = strings.TrimRight(line, " \t\r")
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] != ' ' && line[0] != '\t':
			var err error
			if body, err = r.open(at, line); err != nil {
				return err
			}
		case body == nil:
			return at.errorf("an indented line outside of any block")
		default:
			if err := body(at, strings.TrimLeft(line, " \t")); err != nil {
				return err
			}
		}
	}
	return nil
}

// open begins the block of a header line and returns what reads its body.
func (r *reader) open(at place, line string) (func(place, string) error, error) {
	head, rest, found := strings.Cut(line, ":")
	fields := strings.Fields(head)
	if !found || len(fields) < 2 || len(fields) > 3 {
		return nil, at.errorf("%q is no header such as \"list colour:\"", line)
	}
	what, name := fields[0], fields[1]
	switch what {
	case "list", "table":
		if r.g.tables[name] != nil {
			return nil, at.errorf("table %s is there already", name)
		}
		t := &table{speech: r.g.speech, name: name, columns: []string{"word"}}
		r.g.tables[name] = t
		if len(fields) == 3 {
			t.kind = Kind(fields[2])
			if t.kind != Person && t.kind != Location && t.kind != Thing {
				return nil, at.errorf("kind %s, expected %s, %s or %s", t.kind, Person, Location, Thing)
			}
		}
		if what == "list" {
			row := func(at place, line string) error { return r.listRow(t, line) }
			return row, row(at, strings.TrimSpace(rest))
		}
		t.columns = strings.Fields(rest)
		own := len(t.columns)
		if own > 1 && t.columns[1] == "sex" {
			t.columns = append(t.columns, r.g.speech.pronounForms...)
		}
		return func(at place, line string) error { return r.tableRow(t, at, line, own) }, nil
	case "slots":
		r.slotDrafts = append(r.slotDrafts, slotDraft{at, name, strings.Fields(rest)})
		return nil, nil
	case "rule":
		if r.drafts[name] != nil {
			return nil, at.errorf("rule %s is there already", name)
		}
		d := &draft{place: at}
		r.drafts[name] = d
		return d.addLine, nil
	}
	return nil, at.errorf("%q opens no block; expected list, table, slots or rule", what)
}

func (r *reader) listRow(t *table, line string) error {
	for _, word := range strings.Split(strings.TrimSuffix(line, ","), ",") {
		if word = strings.TrimSpace(word); word != "" {
			r.addRecord(t, []string{word})
		}
	}
	return nil
}

func (r *reader) tableRow(t *table, at place, line string, columns int) error {
	cells := strings.Split(line, "|")
	if len(cells) != columns {
		return at.errorf("%d cells in a row of table %s, expected %d", len(cells), t.name, columns)
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	if len(t.columns) > columns {
		forms, ok := t.speech.pronouns[cells[1]]
		if !ok {
			return at.errorf("sex %q, expected m, f or n", cells[1])
		}
		cells = append(cells, forms...)
	}
	r.addRecord(t, cells)
	return nil
}

func (r *reader) addRecord(t *table, forms []string) {
	rec := record{weight: chance.Zipf(len(t.records))}
	for _, f := range forms {
		rec.addForm(r.printed(f))
	}
	t.records = append(t.records, rec)
}

// printed is a text of the grammar without the spaces that aren't printed.
func (r *reader) printed(text string) string {
	if r.spaces {
		return text
	}
	return strings.ReplaceAll(text, " ", "")
}

func (d *draft) addLine(at place, line string) error {
	number, text, found := strings.Cut(line, " ")
	weight, err := strconv.ParseUint(number, 10, 16)
	if err != nil || weight == 0 || !found {
		return at.errorf("%q: an alternative is a weight, a space and a text", line)
	}
	d.lines = append(d.lines, draftLine{at, weight, text})
	return nil
}

func (r *reader) declareSlots(d slotDraft) error {
	t := r.g.tables[d.table]
	if t == nil {
		return d.errorf("slots of the unknown table %s", d.table)
	}
	var rivals []*slot
	for _, name := range d.names {
		if r.slots[name] != nil {
			return d.errorf("slot %s is there already", name)
		}
		s := &slot{name: name, index: len(r.g.slots), table: t, rivals: rivals[:len(rivals):len(rivals)]}
		r.slots[name] = s
		r.g.slots = append(r.g.slots, s)
		rivals = append(rivals, s)
	}
	if len(r.g.slots) > 64 {
		return d.errorf("more than 64 slots")
	}
	return nil
}

// compile returns the rule of that name with its parameters replaced by the arguments.
func (r *reader) compile(name string, args []string) (*rule, error) {
	key := strings.Join(append([]string{name}, args...), " ")
	if done := r.g.rules[key]; done != nil {
		return done, nil
	}
	d := r.drafts[name]
	if d == nil {
		return nil, fmt.Errorf("no rule or table is named %s", name)
	}
	if d.open {
		return nil, d.errorf("rule %s calls itself; the grammar must be finite", name)
	}
	if len(d.lines) == 0 {
		return nil, d.errorf("rule %s has no alternatives", name)
	}
	d.open, d.used = true, true
	out := &rule{name: key}
	for _, l := range d.lines {
		out.total += l.weight
	}
	for _, l := range d.lines {
		ops, err := r.parse(l.text, args)
		if err != nil {
			return nil, l.errorf("%v", err)
		}
		out.alternatives = append(out.alternatives, alternative{l.weight, informationOf(l.weight, out.total), ops})
	}
	d.open = false
	r.g.rules[key] = out
	return out, nil
}

// parse turns the text of an alternative into steps.
func (r *reader) parse(text string, args []string) ([]op, error) {
	var ops []op
	text = strings.NewReplacer(`\n`, "\n", "_", " ", "~", "").Replace(text)
	for text != "" {
		i := strings.IndexAny(text, "{<[")
		if i < 0 {
			i = len(text)
		}
		if i > 0 {
			if literal := r.printed(text[:i]); literal != "" {
				ops = append(ops, op{code: opText, text: literal})
			}
			text = text[i:]
			continue
		}
		closing := map[byte]string{'{': "}", '<': ">", '[': "]"}[text[0]]
		inner, rest, found := strings.Cut(text[1:], closing)
		if !found {
			return nil, fmt.Errorf("%q is never closed", text)
		}
		var next op
		var err error
		switch closing {
		case "}":
			next, err = r.parseMention(inner, args)
		case ">":
			next, err = r.parseCall(inner, args)
		case "]":
			next, err = r.parseMark(inner, args)
		}
		if err != nil {
			return nil, err
		}
		ops = append(ops, next)
		text = rest
	}
	return ops, nil
}

// argument returns what a name stands for: 1 to 9 are the rule's parameters.
func argument(name string, args []string) (string, error) {
	if len(name) != 1 || name[0] < '1' || name[0] > '9' {
		return name, nil
	}
	i := int(name[0] - '1')
	if i >= len(args) {
		return "", fmt.Errorf("parameter %s, but the rule was called with %d arguments", name, len(args))
	}
	return args[i], nil
}

func (r *reader) slot(name string, args []string) (*slot, error) {
	name, err := argument(name, args)
	if err != nil {
		return nil, err
	}
	if s := r.slots[name]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("no slot is named %s", name)
}

func (r *reader) parseMention(inner string, args []string) (op, error) {
	name, form, _ := strings.Cut(inner, ".")
	s, err := r.slot(name, args)
	if err != nil {
		return op{}, err
	}
	column := s.table.column(form)
	if column < 0 {
		return op{}, fmt.Errorf("table %s has no form %s", s.table.name, form)
	}
	return op{code: opSlot, slot: s, form: column}, nil
}

func (r *reader) parseCall(inner string, args []string) (op, error) {
	fields := strings.Fields(inner)
	if len(fields) == 0 {
		return op{}, fmt.Errorf("<> names nothing")
	}
	name, form, _ := strings.Cut(fields[0], ".")
	if t := r.g.tables[name]; t != nil {
		column := t.column(form)
		if column < 0 || len(fields) > 1 {
			return op{}, fmt.Errorf("<%s>: table %s has no such form", inner, name)
		}
		return op{code: opDraw, table: t, form: column}, nil
	}
	var passed []string
	for _, f := range fields[1:] {
		a, err := argument(f, args)
		if err != nil {
			return op{}, err
		}
		passed = append(passed, a)
	}
	called, err := r.compile(fields[0], passed)
	if err != nil {
		return op{}, err
	}
	return op{code: opCall, rule: called}, nil
}
