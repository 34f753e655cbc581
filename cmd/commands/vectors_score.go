package commands

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/data/story"
	"tinygpt/embedding"
	"tinygpt/embedding/query"
	"tinygpt/internal/terminal"
)

func vectorsScoreCommand() *cli.Command {
	return &cli.Command{
		Name:  "score",
		Usage: "measure vectors by files of analogies and of similarities",
		Description: `Analogies are in the form of word2vec's questions-words.txt: lines of four words, ": name" begins a section.
Similarities are two words and a grade a line, as in WordSim-353. Words that aren't in the vocabulary are
counted, and their questions left out.`,
		Flags: append(fromFlags(),
			&cli.StringSliceFlag{Name: "analogies", Usage: "answer the questions of `FILE`, or of the built-in stories' world: stories, or stories-zh for the Chinese ones (repeatable)"},
			&cli.StringSliceFlag{Name: "similarities", Usage: "compare cosines with the grades of `FILE` (repeatable)"},
			encodingFlag(),
			&cli.IntFlag{Name: "restrict-vocab", Usage: "answer analogies with the first `N` words only; 0 is all", Value: 30000},
			&cli.StringSliceFlag{Name: "method", Usage: "3cosadd, 3cosmul or direction (repeatable)", DefaultText: "all three"},
			&cli.BoolFlag{Name: "case-sensitive", Usage: "look words up as they are written"},
			formatFlag(),
		),
		Action: vectorsScore,
	}
}

func vectorsScore(c *cli.Context) error {
	asJSON := wantsJSON(c)
	if len(c.StringSlice("analogies"))+len(c.StringSlice("similarities")) == 0 {
		return usageError{errors.New("nothing to measure by: add --analogies FILE, --similarities FILE or both")}
	}
	s := scoring{methods: query.Methods, restrict: c.Int("restrict-vocab"), fold: query.Fold(!c.Bool("case-sensitive"))}
	if names := c.StringSlice("method"); len(names) > 0 {
		s.methods = nil
		for _, n := range names {
			m, err := query.ParseMethod(n)
			if err != nil {
				return usageError{fmt.Errorf("--method: %w", err)}
			}
			s.methods = append(s.methods, m)
		}
	}
	if s.restrict < 0 {
		return usageError{fmt.Errorf("--restrict-vocab is %d: expected 1 or more, or 0 for all words", s.restrict)}
	}
	o, err := readOptions(c)
	if err != nil {
		return err
	}
	if err := s.load(o, c.StringSlice("analogies"), c.StringSlice("similarities")); err != nil {
		return err
	}
	v, err := readVectors(c)
	if err != nil {
		return err
	}
	report := s.measure(v)
	if asJSON {
		return printJSON(c, report)
	}
	report.print(c.App.Writer)
	return nil
}

// scoring is what vectors are measured by.
type scoring struct {
	methods  []query.Method
	restrict int
	fold     query.Fold

	analogies    map[string][]query.Section // by file
	similarities map[string][]query.Pair
	order        []string // the files
}

// storiesNamed is the language of the built-in stories that stand for a file: "stories",
// "stories-zh"; nil for a file.
func storiesNamed(file string) *story.Language {
	if file == "stories" {
		return story.English
	}
	name, ok := strings.CutPrefix(file, "stories-")
	if l, err := story.ByName(name); ok && err == nil && name != "" {
		return l
	}
	return nil
}

// storiesName is what storiesNamed takes for the stories of a configuration's language.
func storiesName(language string) string {
	if language == "" || language == story.English.Name {
		return "stories"
	}
	return "stories-" + language
}

// load reads the files.
func (s *scoring) load(o data.Options, analogies, similarities []string) error {
	s.analogies, s.similarities = map[string][]query.Section{}, map[string][]query.Pair{}
	read := func(path string, parse func(r io.Reader) error) error {
		text, err := data.ReadText(path, o)
		if err != nil {
			return err
		}
		s.order = append(s.order, path)
		return parse(strings.NewReader(text))
	}
	for _, path := range analogies {
		if l := storiesNamed(path); l != nil {
			sections, err := query.ParseQuestions(strings.NewReader(l.Analogies()), path)
			if err != nil {
				return err
			}
			s.analogies[path], s.order = sections, append(s.order, path)
			continue
		}
		if err := read(path, func(r io.Reader) (err error) {
			s.analogies[path], err = query.ParseQuestions(r, path)
			return err
		}); err != nil {
			return err
		}
	}
	for _, path := range similarities {
		if err := read(path, func(r io.Reader) (err error) {
			s.similarities[path], err = query.ParsePairs(r, path)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// scoreReport is what vectors reached.
type scoreReport struct {
	Words        int               `json:"words"`
	Dim          int               `json:"dim"`
	Restrict     int               `json:"restrict_vocab"` // how many words analogies are answered with
	Methods      []query.Method    `json:"methods"`
	Analogies    []analogyReport   `json:"analogies,omitempty"`
	Similarities []similarityScore `json:"similarities,omitempty"`
}

// analogyReport is one file's scores. Sections whose name begins with gram are about
// grammar, the others about meaning.
type analogyReport struct {
	File      string               `json:"file"`
	Sections  []query.SectionScore `json:"sections"`
	Semantic  query.SectionScore   `json:"semantic"`
	Syntactic query.SectionScore   `json:"syntactic"`
	All       query.SectionScore   `json:"all"`
}

type similarityScore struct {
	File string `json:"file"`
	query.PairScore
}

func (s *scoring) measure(v *embedding.Vectors) scoreReport {
	r := scoreReport{Words: len(v.Words), Dim: v.Dim, Restrict: len(v.Words), Methods: s.methods}
	if s.restrict > 0 {
		r.Restrict = min(s.restrict, r.Restrict)
	}
	space := query.New(v)
	few := space
	if r.Restrict < len(v.Words) {
		few = query.New(v.First(r.Restrict))
	}
	grammar := func(x query.SectionScore) bool { return strings.HasPrefix(x.Name, "gram") }
	for _, path := range s.order {
		if sections, ok := s.analogies[path]; ok {
			scores := few.Score(sections, s.methods, s.fold)
			r.Analogies = append(r.Analogies, analogyReport{
				File: path, Sections: scores,
				Semantic:  query.Sum("semantic", scores, func(x query.SectionScore) bool { return !grammar(x) }),
				Syntactic: query.Sum("syntactic", scores, grammar),
				All:       query.Sum("all", scores, nil),
			})
		} else {
			r.Similarities = append(r.Similarities, similarityScore{path, space.Correlate(s.similarities[path], s.fold)})
		}
	}
	return r
}

func (r scoreReport) print(out io.Writer) {
	for _, a := range r.Analogies {
		t := terminal.Framed{Right: numbers}
		head := []string{"section", "questions", "unknown"}
		for _, m := range r.Methods {
			head = append(head, string(m)+" %")
		}
		t.Row(head...)
		row := func(s query.SectionScore) {
			scored := []string{s.Name, strconv.Itoa(s.Questions), strconv.Itoa(s.Unknown)}
			for i := range r.Methods {
				share := "–"
				if s.Questions > 0 {
					share = fmt.Sprintf("%.1f", s.Share(i))
				}
				scored = append(scored, share)
			}
			t.Row(scored...)
		}
		for _, s := range a.Sections {
			row(s)
		}
		t.Line()
		if a.Semantic.Questions > 0 && a.Syntactic.Questions > 0 {
			row(a.Semantic)
			row(a.Syntactic)
		}
		row(a.All)
		fmt.Fprintf(out, "%s, answered with %d of %d words:\n%s", filepath.Base(a.File), r.Restrict, r.Words, t.Text(terminal.Width(out)))
	}
	for _, s := range r.Similarities {
		if s.Pairs < 2 {
			fmt.Fprintf(out, "%s: no correlation: %d of %d pairs known, expected two or more\n", filepath.Base(s.File), s.Pairs, s.Pairs+s.Unknown)
			continue
		}
		fmt.Fprintf(out, "%s: Spearman %.3f (95 %%: %.3f to %.3f), %d of %d pairs known\n", filepath.Base(s.File), s.Spearman, s.Low, s.High, s.Pairs, s.Pairs+s.Unknown)
	}
}
