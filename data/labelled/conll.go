package labelled

import "strings"

// The columns of a table of sentences.
const (
	tokensColumn = "tokens"
	tagsColumn   = "tags"
)

// parseCoNLL collects tokens, the first column, and tags, the last one, into a row
// per sentence. Columns are divided by tabs, in a file without any by spaces. Lines
// of white space end a sentence; -DOCSTART- lines are passed over.
func (t *Table) parseCoNLL(text string) error {
	t.names = []string{tokensColumn, tagsColumn}
	tabs := strings.Contains(text, "\t")
	var tokens, tags []string
	start := 0
	end := func() {
		if len(tokens) > 0 {
			row := Row{Line: start, cells: []cell{{list: tokens, kind: isList}, {list: tags, kind: isList}}}
			if len(tags) == 0 {
				row.cells = row.cells[:1]
			}
			t.Rows = append(t.Rows, row)
		}
		tokens, tags = nil, nil
	}
	for i, line := range lines(text) {
		fields := strings.Fields(line)
		if tabs {
			fields = strings.Split(line, "\t")
		}
		for j := range fields {
			fields[j] = strings.TrimSpace(fields[j])
		}
		switch {
		case strings.TrimSpace(line) == "":
			end()
			continue
		case fields[0] == "-DOCSTART-":
			continue
		case fields[0] == "":
			return t.errorf(i+1, "a tag without a token: expected a token, a tab and its tag")
		}
		if len(tokens) == 0 {
			start = i + 1
		}
		tokens = append(tokens, fields[0])
		// A file without any tags is one to be labelled.
		if tag := fields[len(fields)-1]; len(fields) > 1 && tag != "" {
			tags = append(tags, tag)
		}
		if len(tags) != 0 && len(tags) != len(tokens) {
			return t.errorf(i+1, "not every token of this sentence has a tag: expected a token, a tab (or space) and its tag on each line")
		}
	}
	end()
	return nil
}
