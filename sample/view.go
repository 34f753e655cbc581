package sample

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"

	"tinygpt/tokenizer"
)

// View is a step as it is shown to a class, or written as JSON.
type View struct {
	ID    int32  `json:"id"`
	Token string `json:"token"` // bytes that aren't UTF-8 alone become U+FFFD in JSON
	// Entropies of the model's distribution, and of that which was drawn from.
	EntropyBits      float64 `json:"entropy_bits"`
	EntropyBitsAfter float64 `json:"entropy_bits_after"`
	Kept             int     `json:"kept"` // candidates that the filters left
	Vocabulary       int     `json:"vocabulary"`
	Candidates       []Row   `json:"candidates"` // likeliest first
}

// Row is a Candidate of a View.
type Row struct {
	ID     int32   `json:"id"`
	Token  string  `json:"token"`
	Rank   int     `json:"rank"`
	Before float64 `json:"before"`
	After  float64 `json:"after"`
}

// View describes the step with the rows likeliest candidates, and the drawn one.
func (s *Step) View(t tokenizer.Tokenizer, rows int) View {
	name := func(id int32) string {
		if id == t.EndOfText() {
			return tokenizer.EndOfTextName
		}
		return string(t.Bytes(id))
	}
	v := View{ID: s.Token, Token: name(s.Token), Kept: s.Kept(), Vocabulary: len(s.logits)}
	v.EntropyBits, v.EntropyBitsAfter = s.Entropy()
	for _, c := range s.Top(rows) {
		v.Candidates = append(v.Candidates, Row{c.Token, name(c.Token), c.Rank, c.Before, c.After})
	}
	return v
}

// Columns of the table.
const (
	tokenWidth = 16 // of the token at least
	barWidth   = 24 // of a bar for 100 %
)

// Table draws the view for people: a candidate a line, with a bar for the
// probability with which it was drawn and an arrow at the one that was.
func (v View) Table() string {
	width := tokenWidth
	for _, r := range v.Candidates {
		width = max(width, uniseg.StringWidth(quoted(r.Token)))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "    rank  %-*s    before     after\n", width, "token")
	for _, r := range v.Candidates {
		token := quoted(r.Token)
		token += strings.Repeat(" ", width-uniseg.StringWidth(token))
		mark, after := "  ", "      –  "
		if r.ID == v.ID {
			mark = "▶ "
		}
		if r.After > 0 {
			after = percent(r.After)
		}
		bar := strings.Repeat("█", int(math.Round(r.After*barWidth)))
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %s%4d  %s %s %s  %s", mark, r.Rank, token, percent(r.Before), after, bar), " "))
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "    entropy %.2f bits, %.2f after temperature and filters, which keep %d of %d tokens\n",
		v.EntropyBits, v.EntropyBitsAfter, v.Kept, v.Vocabulary)
	return b.String()
}

// quoted shows spaces and line ends for what they are.
func quoted(token string) string {
	if token == tokenizer.EndOfTextName {
		return token
	}
	return strconv.Quote(token)
}

func percent(p float64) string { return fmt.Sprintf("%7.2f %%", 100*p) }
