package serve

import (
	"bytes"
	"slices"
	"strings"

	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// piece is the part of a text that became final with a step: characters, and the tokens that
// they came from.
type piece struct {
	text   string
	tokens []tokenInfo
}

// tokenInfo is a token of a text with its likeliest alternatives.
type tokenInfo struct {
	id      int32
	bytes   []byte
	logProb float64
	top     []alternative
	view    *sample.View // nil unless candidates are asked for

	end int // length of the text with this token's characters
}

// alternative is a token that could have come instead.
type alternative struct {
	id      int32
	logProb float64
}

// wanted is what a client wants to know about each token.
type wanted struct {
	logProbs   bool
	top        int // the number of alternatives
	candidates int // the number of rows of a view; 0: no view
}

// tracker turns the steps of a text into pieces. A token's information is held back
// until its characters are final, so that what a stop text cuts off isn't reported.
type tracker struct {
	wanted
	tokenizer  tokenizer.Tokenizer
	characters *tokenizer.Stream
	length     int         // of the text with all tokens so far, before a stop text is cut off
	final      int         // of the text that is final
	held       []tokenInfo // tokens with characters that aren't final
	ends       []int32     // tokens that end a text and aren't reported
	textLead   string      // to be cut off the text's beginning; empty once it has begun
	tokenLead  string      // the same for the bytes of its tokens
}

func newTracker(t tokenizer.Tokenizer, w wanted, ends []int32, lead string) *tracker {
	return &tracker{wanted: w, tokenizer: t, characters: tokenizer.NewStream(t), ends: ends, textLead: lead, tokenLead: lead}
}

// next returns what became final with a step.
func (k *tracker) next(s *sample.Step) piece {
	p := piece{text: s.Text}
	k.final += len(s.Text)
	if p.text != "" {
		p.text, k.textLead = strings.TrimPrefix(p.text, k.textLead), ""
	}
	if !k.logProbs && k.candidates == 0 {
		return p
	}
	if !slices.Contains(k.ends, s.Token) {
		text, _ := k.characters.Next(s.Token) // the text has the same tokens, so there is no error
		k.length += len(text)
		info := k.describe(s)
		info.end = k.length
		if len(info.bytes) > 0 {
			info.bytes, k.tokenLead = bytes.TrimPrefix(info.bytes, []byte(k.tokenLead)), ""
		}
		k.held = append(k.held, info)
	}
	n := 0
	for n < len(k.held) && (k.held[n].end <= k.final || s.Finish == sample.Length || s.Finish == sample.End) {
		n++
	}
	if s.Finish == sample.Stopped && n < len(k.held) {
		// The text ends within this token or before it.
		if over := k.held[n].end - k.final; over < len(k.held[n].bytes) {
			k.held[n].bytes = k.held[n].bytes[:len(k.held[n].bytes)-over]
			n++
		}
	}
	p.tokens, k.held = k.held[:n:n], k.held[n:]
	return p
}

// describe returns what the client wants to know about a step's token.
func (k *tracker) describe(s *sample.Step) tokenInfo {
	info := tokenInfo{id: s.Token, bytes: k.tokenizer.Bytes(s.Token)}
	if k.logProbs {
		info.logProb = s.LogProb()
		for _, id := range s.Likeliest(k.top) {
			info.top = append(info.top, alternative{id, s.LogProbOf(id)})
		}
	}
	if k.candidates > 0 {
		view := s.View(k.tokenizer, k.candidates)
		info.view = &view
	}
	return info
}
