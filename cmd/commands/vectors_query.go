package commands

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/embedding/query"
	"tinygpt/internal/terminal"
)

func queryFlags(more ...cli.Flag) []cli.Flag {
	return slices.Concat(fromFlags(), more, []cli.Flag{
		&cli.IntFlag{Name: "top", Aliases: []string{"n"}, Usage: "the best `N` words", Value: 10},
		formatFlag(),
	})
}

func vectorsNeighboursCommand() *cli.Command {
	return &cli.Command{
		Name:      "neighbours",
		Usage:     "list the words whose vectors are nearest to a word's",
		ArgsUsage: "[WORD ...]",
		Description: `The score is the cosine. Without a WORD, each line of standard input is one; with --format json each answer
is a line of JSON.`,
		Flags: queryFlags(),
		Action: func(c *cli.Context) error {
			return ask(c, question{
				prompt: "word", arguments: 1,
				ask: func(s *query.Space, words []string) (any, []query.Answer, error) {
					answers, err := s.Neighbours(words[0], c.Int("top"))
					return struct {
						Word    string         `json:"word"`
						Answers []query.Answer `json:"neighbours"`
					}{words[0], answers}, answers, err
				},
			})
		},
	}
}

func vectorsAnalogyCommand() *cli.Command {
	return &cli.Command{
		Name:      "analogy",
		Usage:     "answer: A is to B as C is to ?",
		ArgsUsage: "[A B C]",
		Description: `The methods are 3cosadd: nearest to B − A + C; 3cosmul: cosines with B and C multiplied, divided by that with A;
direction: the step from C most parallel to that from A to B (Levy and Goldberg 2014). Without words, each line of
standard input has three, apart by blanks, or by tabs if words have blanks.`,
		Flags: queryFlags(&cli.StringFlag{Name: "method", Usage: "3cosadd, 3cosmul or direction", Value: string(query.Add)}),
		Action: func(c *cli.Context) error {
			method, err := query.ParseMethod(c.String("method"))
			if err != nil {
				return usageError{fmt.Errorf("--method: %w", err)}
			}
			return ask(c, question{
				prompt: "a b c", arguments: 3,
				ask: func(s *query.Space, w []string) (any, []query.Answer, error) {
					answers, err := s.Analogy(method, w[0], w[1], w[2], c.Int("top"))
					return struct {
						A       string         `json:"a"`
						B       string         `json:"b"`
						C       string         `json:"c"`
						Method  query.Method   `json:"method"`
						Answers []query.Answer `json:"answers"`
					}{w[0], w[1], w[2], method, answers}, answers, err
				},
			})
		},
	}
}

// question is one that ask answers: it has a number of words, and its answer is a
// record for JSON and words for people.
type question struct {
	prompt    string
	arguments int
	ask       func(s *query.Space, words []string) (record any, answers []query.Answer, err error)
}

// ask answers the arguments' questions, or without arguments those of standard input.
func ask(c *cli.Context, q question) error {
	asJSON := wantsJSON(c)
	if c.Int("top") < 1 {
		return usageError{fmt.Errorf("--top is %d: expected 1 or more", c.Int("top"))}
	}
	words := c.Args().Slice()
	if len(words)%q.arguments != 0 {
		return usageError{fmt.Errorf("%s takes %d words, found %d: see %s --help", c.Command.Name, q.arguments, len(words), c.Command.HelpName)}
	}
	v, err := readVectors(c)
	if err != nil {
		return err
	}
	space := query.New(v)
	answer := func(words []string) error {
		record, answers, err := q.ask(space, words)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c, record)
		}
		return printAnswers(c.App.Writer, answers)
	}
	if len(words) == 0 {
		return askLines(c, q, answer)
	}
	for i, group := range slices.Collect(slices.Chunk(words, q.arguments)) {
		if len(words) > q.arguments && !asJSON {
			if i > 0 {
				fmt.Fprintln(c.App.Writer)
			}
			fmt.Fprintln(c.App.Writer, strings.Join(group, " ")+":")
		}
		if err := answer(group); err != nil {
			return err
		}
	}
	return nil
}

// askLines answers one line of input after another. A person at a terminal may mistype;
// elsewhere the first error ends the work.
func askLines(c *cli.Context, q question, answer func(words []string) error) error {
	out, person := c.App.Writer, terminal.Is(c.App.Reader) && terminal.Is(c.App.Writer)
	for input, line := bufio.NewReader(c.App.Reader), 1; ; line++ {
		if person {
			fmt.Fprintf(out, "%s> ", q.prompt)
		}
		text, err := input.ReadString('\n')
		if err == io.EOF && text == "" {
			if person {
				fmt.Fprintln(out)
			}
			return nil
		}
		if err != nil && err != io.EOF {
			return err
		}
		text = strings.TrimRight(text, "\r\n")
		words := []string{text}
		if q.arguments > 1 {
			words = strings.Fields(text)
			if strings.Contains(text, "\t") {
				words = strings.Split(text, "\t")
			}
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if len(words) != q.arguments {
			err = fmt.Errorf("found %d words, expected %d: %s", len(words), q.arguments, q.prompt)
		} else {
			err = answer(words)
		}
		switch {
		case err == nil:
		case person:
			fmt.Fprintln(out, err)
		default:
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// printAnswers writes a word and its score a line.
func printAnswers(w io.Writer, answers []query.Answer) error {
	var t terminal.Table
	for _, a := range answers {
		t.Row(terminal.Visible(a.Word), fmt.Sprintf("%6.3f", a.Score))
	}
	_, err := io.WriteString(w, t.Text())
	return err
}
