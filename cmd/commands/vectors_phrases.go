package commands

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/embedding/corpus"
	"tinygpt/embedding/phrases"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
)

func vectorsPhrasesCommand() *cli.Command {
	return &cli.Command{
		Name:  "phrases",
		Usage: "join words that belong together, like new_york, or characters into words",
		Description: `Pairs are joined whose score is high: mikolov is (n − min-count)·N/(count(a)·count(b)), npmi the normalised pointwise
mutual information. With --chars, Chinese characters are joined: this finds words, and --write-dict keeps them.
--dict cuts Chinese by such a dictionary, or jieba's, instead: lines of a word and its frequency. Train on what
--to writes with gpt vectors train --words spaces.`,
		Flags: []cli.Flag{
			textsFlag("read", ""),
			encodingFlag(),
			&cli.StringFlag{Name: "words", Usage: "how text is cut first: words, spaces or characters", Value: "words"},
			&cli.BoolFlag{Name: "chars", Usage: "join Chinese or Japanese characters to words, not over punctuation"},
			&cli.StringFlag{Name: "dict", Usage: "cut text by the dictionary in `FILE`, and join nothing unless --passes is set"},
			choice("score", "mikolov or npmi", phrases.Mikolov, phrases.Mikolov, phrases.NPMI),
			&cli.Float64Flag{Name: "threshold", Usage: "join pairs of this score and above", DefaultText: "100 of mikolov, 0.5 of npmi"},
			&cli.Int64Flag{Name: "min-count", Usage: "join pairs that occur `N` times or more", Value: 5},
			&cli.IntFlag{Name: "passes", Usage: "join `N` times: phrases of up to 2ᴺ words", Value: 1},
			&cli.IntFlag{Name: "top", Usage: "print the best `N` phrases of each pass", Value: 20},
			&cli.StringFlag{Name: "to", Usage: "write the text to `FILE`, words apart by blanks; .gz is gzipped"},
			&cli.StringFlag{Name: "write-dict", Usage: "write all words and their counts to `FILE`"},
			formatFlag(),
			forceFlag(),
		},
		Action: vectorsPhrases,
	}
}

func vectorsPhrases(c *cli.Context) error {
	asJSON := wantsJSON(c)
	if len(c.StringSlice("data")) == 0 {
		return usageError{errors.New("no text: add --data FILE")}
	}
	o := phrases.Options{Score: phrases.Score(c.String("score")), MinCount: c.Int64("min-count"), Joiner: "_"}
	if o.Threshold = phrases.DefaultThreshold(o.Score); c.IsSet("threshold") {
		o.Threshold = c.Float64("threshold")
	}
	if err := o.Validate(); err != nil {
		return usageError{err}
	}
	split, passes, err := phraseSplitter(c)
	if err != nil {
		return err
	}
	to, dict := c.String("to"), c.String("write-dict")
	if to != "" && filepath.Clean(to) == filepath.Clean(dict) {
		return usageError{fmt.Errorf("--to and --write-dict are both %s: expected a file for the text and another one for the words", to)}
	}
	for _, path := range []string{to, dict} {
		if path == "" {
			continue
		}
		if err := mayWrite(c, path); err != nil {
			return err
		}
	}
	text := phrases.NewText()
	options, err := readOptions(c)
	if err != nil {
		return err
	}
	read, err := data.EachLine(c.StringSlice("data"), options, func(line []byte) error {
		if c.Bool("chars") {
			return text.AddCharacters(line, split)
		}
		return text.Add(line, split)
	})
	if err != nil {
		return err
	}
	if !asJSON {
		fmt.Fprintf(c.App.Writer, "files: %s\n", read)
	}
	for pass := range passes {
		found, err := text.Join(o)
		if err != nil {
			return err
		}
		if err := reportPhrases(c, pass+1, found, asJSON); err != nil {
			return err
		}
	}
	return writePhrases(c, text, asJSON)
}

// phraseSplitter reads how text is cut, and how often pairs are joined then.
func phraseSplitter(c *cli.Context) (corpus.Splitter, int, error) {
	name, passes := c.String("words"), c.Int("passes")
	if c.Bool("chars") && c.IsSet("words") {
		return nil, 0, usageError{errors.New("either --chars or --words: both say how text is cut")}
	}
	if passes < 0 || passes > 10 {
		return nil, 0, usageError{fmt.Errorf("--passes is %d: expected 0 to 10", passes)}
	}
	path := c.String("dict")
	if path == "" {
		split, err := corpus.NewSplitter(name)
		if err != nil {
			err = usageError{fmt.Errorf("--%w", err)}
		}
		return split, passes, err
	}
	if c.Bool("chars") || c.IsSet("words") {
		return nil, 0, usageError{errors.New("either --dict or --words: both say how text is cut")}
	}
	o, err := readOptions(c)
	if err != nil {
		return nil, 0, err
	}
	text, err := data.ReadText(path, o)
	if err != nil {
		return nil, 0, err
	}
	d, err := phrases.ParseDictionary(strings.NewReader(text), path)
	if err != nil {
		return nil, 0, err
	}
	if !c.IsSet("passes") {
		passes = 0
	}
	return d.Splitter(), passes, nil
}

// reportPhrases prints the best phrases of a pass.
func reportPhrases(c *cli.Context, pass int, found []phrases.Phrase, asJSON bool) error {
	best := append([]phrases.Phrase{}, found[:min(max(c.Int("top"), 0), len(found))]...)
	if asJSON {
		return printJSON(c, struct {
			Pass  int              `json:"pass"`
			Found int              `json:"found"`
			Best  []phrases.Phrase `json:"best"`
		}{pass, len(found), best})
	}
	out := c.App.Writer
	fmt.Fprintf(out, "pass %d: %s phrases\n", pass, number.Thousands(len(found)))
	for _, p := range best {
		fmt.Fprintf(out, "%12.4g  %9s ×  %s\n", p.Score, number.Thousands(int(p.Count)), terminal.Visible(p.Text))
	}
	return nil
}

// writePhrases writes the text and the dictionary, where they are asked for.
func writePhrases(c *cli.Context, text *phrases.Text, asJSON bool) error {
	wrote := func(path, what string) {
		if !asJSON {
			fmt.Fprintf(c.App.Writer, "wrote %s: %s\n", path, what)
		}
	}
	if path := c.String("to"); path != "" {
		if err := writeMaybeZipped(path, func(w io.Writer) error {
			return text.EachLine(func(words []string) error {
				_, err := io.WriteString(w, strings.Join(words, " ")+"\n")
				return err
			})
		}); err != nil {
			return err
		}
		_, total := text.Counts()
		wrote(path, number.Thousands(int(total))+" words")
	}
	if path := c.String("write-dict"); path != "" {
		if err := writeMaybeZipped(path, func(w io.Writer) error { return text.WriteDictionary(w, c.Int64("min-count")) }); err != nil {
			return err
		}
		wrote(path, fmt.Sprintf("words that occur %d times or more", c.Int64("min-count")))
	}
	return nil
}

// writeMaybeZipped writes a file, gzipped if its name ends in .gz.
func writeMaybeZipped(path string, write func(io.Writer) error) error {
	return atomicfile.Write(path, func(f *os.File) error {
		if !strings.HasSuffix(path, ".gz") {
			out := bufio.NewWriter(f)
			return errors.Join(write(out), out.Flush())
		}
		z := gzip.NewWriter(f)
		out := bufio.NewWriter(z)
		return errors.Join(write(out), out.Flush(), z.Close())
	})
}
