package tokenizer

import "fmt"

// Unknown returns the id of the token that stands for text which isn't in the vocabulary, as
// GPT-1's and BERT's kinds have it; -1 if there is none: then no text is unknown, or Encode
// refuses what is.
func Unknown(t Tokenizer) int32 {
	switch t := t.(type) {
	case *gpt1:
		return t.unknown
	case *wordPiece:
		return t.unknown
	}
	return -1
}

// mostUnknown is the share of unknown tokens up to which nothing is said about them.
const mostUnknown = 0.01

// UnknownNote says that t doesn't know much of the text that became ids; "" if it does.
func UnknownNote(t Tokenizer, ids []int32) string {
	unknown, n := Unknown(t), 0
	if unknown < 0 {
		return ""
	}
	for _, id := range ids {
		if id == unknown {
			n++
		}
	}
	share := float64(n) / float64(max(len(ids), 1))
	if share <= mostUnknown {
		return ""
	}
	return fmt.Sprintf("%.2g %% of the text's tokens are %s, which stands for what the tokenizer doesn't know, so the loss says little of the text; a tokenizer of bytes knows all of it",
		100*share, TokenName(t, unknown))
}
