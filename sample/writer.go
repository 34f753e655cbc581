package sample

import (
	"strings"

	"tinygpt/tokenizer"
)

// writer turns the tokens of a text into characters.
type writer struct {
	characters *tokenizer.Stream
	stops      *stopSearch
	all        strings.Builder
}

func newWriter(t tokenizer.Tokenizer, stops []string) *writer {
	return &writer{characters: tokenizer.NewStream(t), stops: newStopSearch(stops)}
}

// write sets the step's Text, and its Finish if a stop text ends the text.
func (w *writer) write(s *Step) error {
	text, err := w.characters.Next(s.Token)
	if err != nil {
		return err
	}
	if s.Finish != Unfinished {
		text += w.characters.Flush()
	}
	text, found := w.stops.Next(text)
	switch {
	case found:
		s.Finish = Stopped
	case s.Finish != Unfinished:
		text += w.stops.Rest()
	}
	w.all.WriteString(text)
	s.Text = text
	return nil
}
