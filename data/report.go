package data

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"tinygpt/internal/number"
)

// Report says what Load read, and what it left out of folders and globs.
type Report struct {
	Files, Documents, Bytes int
	LeftOut                 []LeftOut
	// Inline is how many <|endoftext|> shared their line with text.
	Inline int
	// OtherEnds counts lines with which other programs end documents, such as </s>, and
	// which are text here.
	OtherEnds map[string]int
}

// String is a line for what was read, and one more for each thing worth a look.
func (r Report) String() string {
	read := fmt.Sprintf("%s, %s, %s bytes", number.Of(r.Files, "file"), number.Of(r.Documents, "document"), number.Thousands(r.Bytes))
	return strings.Join(append([]string{read}, r.Notes()...), "\n")
}

// Notes are the lines of String that tell of something worth a look.
func (r Report) Notes() (notes []string) {
	if len(r.LeftOut) > 0 {
		notes = append(notes, "left out: "+summary(r.LeftOut))
	}
	if r.Inline > 0 {
		notes = append(notes, fmt.Sprintf("%s %s within a line of text: each ended a document", number.Thousands(r.Inline), separator))
	}
	for _, end := range slices.Sorted(maps.Keys(r.OtherEnds)) {
		notes = append(notes, fmt.Sprintf("%s of %s taken for text: what ends a document is a line of %s", number.Of(r.OtherEnds[end], "line"), end, separator))
	}
	return notes
}

// otherEnd is how other programs write the end of a document.
var otherEnd = regexp.MustCompile(`(?i)^\s*(<\|? ?(end_?of_?text|end|eos|eot|eot_id|eod|sep|/s) ?\|?>|\[(sep|eos|end|eot)\])\s*$`)

// countOtherEnds counts the lines of a text that otherEnd matches.
func (r *Report) countOtherEnds(text string) {
	const longest = 24 // bytes
	for line := range strings.Lines(text) {
		if len(line) > longest || !strings.ContainsAny(line, "<[") || strings.Contains(line, separator) || !otherEnd.MatchString(line) {
			continue
		}
		if r.OtherEnds == nil {
			r.OtherEnds = map[string]int{}
		}
		r.OtherEnds[strings.TrimSpace(line)]++
	}
}

// summary counts what was left out by reason, with the first names of each.
func summary(left []LeftOut) string {
	if len(left) == 0 {
		return "there is none"
	}
	var reasons []string
	names := map[string][]string{}
	for _, l := range left {
		if names[l.Why] == nil {
			reasons = append(reasons, l.Why)
		}
		names[l.Why] = append(names[l.Why], l.Path)
	}
	slices.Sort(reasons)
	for i, why := range reasons {
		const most = 3
		shown := names[why]
		more := ""
		if len(shown) > most {
			shown, more = shown[:most], ", …"
		}
		reasons[i] = fmt.Sprintf("%s %s (%s%s)", number.Thousands(len(names[why])), why, strings.Join(shown, ", "), more)
	}
	return strings.Join(reasons, "; ")
}
