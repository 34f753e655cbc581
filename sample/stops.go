package sample

import "strings"

// stopSearch looks for stop texts in a text that comes in pieces, and holds back what
// could be the beginning of one. The text ends where the stop text begins that is
// complete first (if several end together, the longest). How the text is cut into
// pieces makes no difference.
type stopSearch struct {
	stops []string
	held  string // a proper prefix of a stop text, or empty
	found bool
}

// newStopSearch returns a search for these texts, none of which is empty.
func newStopSearch(stops []string) *stopSearch { return &stopSearch{stops: stops} }

// Next takes a piece and returns what is certain to come before any stop, and
// whether one was found; after that there is nothing more.
func (s *stopSearch) Next(piece string) (text string, found bool) {
	if s.found {
		return "", true
	}
	s.held += piece
	start, end := -1, len(s.held)+1
	for _, stop := range s.stops {
		if i := strings.Index(s.held, stop); i >= 0 && (i+len(stop) < end || i+len(stop) == end && i < start) {
			start, end = i, i+len(stop)
		}
	}
	if start >= 0 {
		text, s.held, s.found = s.held[:start], "", true
		return text, true
	}
	certain := len(s.held) - s.beginning()
	text, s.held = s.held[:certain], s.held[certain:]
	return text, false
}

// beginning returns the length of the longest suffix of held that a stop text begins
// with.
func (s *stopSearch) beginning() int {
	longest := 0
	for _, stop := range s.stops {
		for n := min(len(stop)-1, len(s.held)); n > longest; n-- {
			if strings.HasSuffix(s.held, stop[:n]) {
				longest = n
			}
		}
	}
	return longest
}

// Rest returns what is held back. It is called when the text has ended, so that no
// stop text can follow.
func (s *stopSearch) Rest() string {
	text := s.held
	s.held = ""
	return text
}
