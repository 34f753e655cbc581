package commands

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/tokenizer"
)

func tokenizerInspectCommand() *cli.Command {
	return &cli.Command{
		Name:      "inspect",
		Usage:     "show how a text or a corpus is cut into tokens, or what a vocabulary holds",
		ArgsUsage: "[TEXT]",
		Description: `With TEXT, in quotes, --file or a pipe: each token with its id. With --data: how the tokens of whole texts
spread over the vocabulary. With none of them: the vocabulary.`,
		Flags: []cli.Flag{tokenizerFlag(), textFileFlag(), formatFlag(),
			textsFlag("look at the tokens of", ""),
			encodingFlag(),
			&cli.IntFlag{Name: "top", Usage: "list `N` tokens and merges", Value: 20},
		},
		Action: inspect,
	}
}

func inspect(c *cli.Context) error {
	asJSON := wantsJSON(c)
	if c.Int("top") < 0 {
		return usageError{fmt.Errorf("--top is %d: expected 0 or more", c.Int("top"))}
	}
	files := c.StringSlice("data")
	if len(files) > 0 && (c.NArg() > 0 || c.IsSet("file")) {
		return usageError{errors.New("inspect takes a text, --file or --data, not several of them")}
	}
	t, err := openTokenizer(c)
	if err != nil {
		return err
	}
	switch {
	case len(files) > 0:
		corpus, err := readTexts(c, files)
		if err != nil {
			return err
		}
		for _, note := range corpus.Report.Notes() {
			fmt.Fprintln(c.App.ErrWriter, "gpt:", note)
		}
		return inspectCorpus(c, t, corpus, asJSON)
	case c.NArg() == 0 && !c.IsSet("file") && !isPiped(c.App.Reader):
		return inspectVocabulary(c, t, asJSON)
	}
	text, err := inputText(c)
	if err != nil {
		return err
	}
	if text == "" && c.NArg() == 0 && !c.IsSet("file") { // nothing came through the pipe
		return inspectVocabulary(c, t, asJSON)
	}
	ids, err := t.Encode(text)
	if err != nil {
		return inFile(c, err)
	}
	if asJSON {
		return printJSON(c, encoded(t, ids))
	}
	w := bufio.NewWriter(terminal.Raw(c.App.Writer)) // readable pieces, in colours
	showPieces(w, t, ids, terminal.Colored(c.App.Writer))
	fmt.Fprintf(w, "\ntokens: %s (%s), characters: %s, bytes: %s, %.2f per token\n", number.Thousands(len(ids)), t.Name(),
		number.Thousands(utf8.RuneCountInString(text)), number.Thousands(len(text)), perToken(len(text), len(ids)))
	return w.Flush()
}

// showPieces writes each token with its id: coloured, with the id in grey, or in
// brackets. Lines of the text end where they end.
func showPieces(w io.Writer, t tokenizer.Tokenizer, ids []int32, color bool) {
	for i, id := range ids {
		text := tokenizer.Readable(t, id)
		if color {
			// Neighbours differ; black on light backgrounds is readable everywhere.
			background := []int{153, 157, 223, 217, 189}[i%5]
			fmt.Fprintf(w, "\x1b[38;5;16;48;5;%dm%s\x1b[0m\x1b[38;5;244m%d\x1b[0m ", background, text, id)
		} else {
			fmt.Fprintf(w, "[%s|%d]", text, id)
		}
		if strings.HasSuffix(string(t.Bytes(id)), "\n") {
			fmt.Fprintln(w)
		}
	}
}

// corpusReport is inspect --data in JSON.
type corpusReport struct {
	Tokenizer     string        `json:"tokenizer"`
	Documents     int           `json:"documents"`
	Bytes         int           `json:"bytes"`
	Characters    int           `json:"characters"`
	Tokens        int           `json:"tokens"`
	BytesPerToken float64       `json:"bytes_per_token"`
	Used          int           `json:"used"`
	Vocabulary    int           `json:"ordinary_tokens"`
	Coverage      float64       `json:"coverage"`
	TopTokens     []tokenReport `json:"top_tokens"`
	TopMerges     []mergeReport `json:"top_merges"`
}

type tokenReport struct {
	ID    int32  `json:"id"`
	Token string `json:"token"`
	Count int    `json:"count,omitempty"` // in a corpus
}

type mergeReport struct {
	Left  string `json:"left"`
	Right string `json:"right"`
	ID    int32  `json:"id"`
	Count int    `json:"count"`
}

func inspectCorpus(c *cli.Context, t tokenizer.Tokenizer, corpus data.Corpus, asJSON bool) error {
	stream, err := data.Tokenize(corpus, tokenizer.ForTexts(t))
	if err != nil {
		return err
	}
	u := tokenizer.NewUsage(t, stream.Tokens)
	r := corpusReport{
		Tokenizer: t.Name(), Documents: len(corpus.Documents), Bytes: corpus.Bytes(), Tokens: u.Tokens,
		BytesPerToken: perToken(corpus.Bytes(), u.Tokens),
		Used:          u.Used, Vocabulary: u.Available, Coverage: float64(u.Used) / float64(max(1, u.Available)),
		TopTokens: []tokenReport{}, TopMerges: []mergeReport{},
	}
	for text := range corpus.Texts() {
		r.Characters += utf8.RuneCountInString(text)
	}
	for _, id := range u.Frequent(c.Int("top")) {
		r.TopTokens = append(r.TopTokens, tokenReport{id, tokenizer.TokenName(t, id), u.Count[id]})
	}
	merges, err := u.Merges(c.Int("top"))
	if err != nil {
		return err
	}
	for _, m := range merges {
		r.TopMerges = append(r.TopMerges, mergeReport(m))
	}
	if asJSON {
		return printJSON(c, r)
	}
	w := bufio.NewWriter(c.App.Writer)
	fmt.Fprintf(w, "text:      %s bytes, %s characters; documents: %s\n", number.Thousands(r.Bytes), number.Thousands(r.Characters), number.Thousands(r.Documents))
	fmt.Fprintf(w, "tokens:    %s of %s: %.3f bytes per token, %.3f characters per token\n", number.Thousands(r.Tokens), r.Tokenizer, r.BytesPerToken, perToken(r.Characters, r.Tokens))
	fmt.Fprintf(w, "coverage:  %s of %s ordinary tokens occur (%.1f %%)\n", number.Thousands(r.Used), number.Thousands(r.Vocabulary), 100*r.Coverage)
	if len(r.TopTokens) > 0 {
		fmt.Fprintf(w, "\nmost frequent tokens\n%10s %7s %8s  token\n", "count", "share", "id")
	}
	for _, k := range r.TopTokens {
		fmt.Fprintf(w, "%10s %6.2f%% %8d  [%s]\n", number.Thousands(k.Count), 100*perToken(k.Count, r.Tokens), k.ID, tokenizer.Readable(t, k.ID))
	}
	if len(r.TopMerges) > 0 {
		fmt.Fprintf(w, "\nmost frequent merges, those on the way to longer tokens included\n%10s %8s  merge\n", "count", "id")
	}
	for _, k := range r.TopMerges {
		fmt.Fprintf(w, "%10s %8d  %s + %s\n", number.Thousands(k.Count), k.ID, k.Left, k.Right)
	}
	return w.Flush()
}

// vocabularyReport is inspect without a text in JSON.
type vocabularyReport struct {
	Tokenizer   string           `json:"tokenizer"`
	VocabSize   int              `json:"vocab_size"`
	EndOfText   int32            `json:"end_of_text"` // -1: there is none
	Special     map[string]int32 `json:"special_tokens"`
	Longest     []tokenReport    `json:"longest_tokens"`
	Fingerprint string           `json:"sha256"`
}

func inspectVocabulary(c *cli.Context, t tokenizer.Tokenizer, asJSON bool) error {
	longest := tokenizer.Longest(t, c.Int("top"))
	if asJSON {
		r := vocabularyReport{t.Name(), t.VocabSize(), t.EndOfText(), map[string]int32{}, []tokenReport{}, tokenizer.Fingerprint(t)}
		for _, s := range t.SpecialTokens() {
			r.Special[s.Name] = s.ID
		}
		for _, id := range longest {
			r.Longest = append(r.Longest, tokenReport{ID: id, Token: tokenizer.TokenName(t, id)})
		}
		return printJSON(c, r)
	}
	w := bufio.NewWriter(c.App.Writer)
	fmt.Fprintf(w, "tokenizer:       %s\ntokens:          %s\nspecial tokens: ", t.Name(), number.Thousands(t.VocabSize()))
	for _, s := range t.SpecialTokens() {
		fmt.Fprintf(w, " %s %d", s.Name, s.ID)
	}
	if len(t.SpecialTokens()) == 0 {
		fmt.Fprint(w, " none")
	}
	fmt.Fprintf(w, "\nsha256:          %s\nlongest tokens: ", tokenizer.Fingerprint(t))
	for _, id := range longest {
		fmt.Fprintf(w, " [%s|%d]", tokenizer.Readable(t, id), id)
	}
	fmt.Fprintln(w)
	return w.Flush()
}
