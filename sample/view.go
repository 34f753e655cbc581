package sample

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"tinygpt/internal/terminal"
	"tinygpt/tokenizer"
)

// View is a step prepared for showing, or for writing as JSON.
type View struct {
	ID    int32  `json:"id"`
	Token string `json:"token"` // a special token's name; bytes that aren't UTF-8 alone become U+FFFD in JSON
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
	// Special marks tokens that mean no text; Token is then a name.
	Special bool `json:"special,omitempty"`
}

// View describes the step with its rows likeliest candidates and the drawn one.
func (s *Step) View(t tokenizer.Tokenizer, rows int) View {
	token, _ := tokenizer.NameOrText(t, s.Token)
	v := View{ID: s.Token, Token: token, Kept: s.Kept(), Vocabulary: len(s.logits)}
	v.EntropyBits, v.EntropyBitsAfter = s.Entropy()
	for _, c := range s.Top(rows) {
		token, special := tokenizer.NameOrText(t, c.Token)
		v.Candidates = append(v.Candidates, Row{c.Token, token, c.Rank, c.Before, c.After, special})
	}
	return v
}

// Columns of the table.
const (
	tokenWidth = 16 // of the token at least
	barWidth   = 24 // of a bar for 100 %
)

// Table draws the view for people: one line for each candidate, with a bar for its
// probability after filters and an arrow at the one that was drawn.
func (v View) Table() string {
	width := tokenWidth
	for _, r := range v.Candidates {
		width = max(width, terminal.Columns(r.quoted()))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "    rank  %-*s    before     after\n", width, "token")
	for _, r := range v.Candidates {
		token := terminal.Pad(r.quoted(), width)
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

// quoted puts a token in quotes, so that white space is visible, or returns a special
// token's name.
func (r Row) quoted() string {
	if r.Special {
		return r.Token
	}
	return strconv.Quote(r.Token)
}

func percent(p float64) string { return fmt.Sprintf("%7.2f %%", 100*p) }
