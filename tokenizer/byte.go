package tokenizer

// byteLevel has one token per byte. Unlike with the other kinds, any string is
// fine, valid UTF-8 or not.
type byteLevel struct{ table }

// NewByte returns the tokenizer whose ids are the bytes themselves, with the end
// of text as 256. It needs no training and knows no unknown text; its sequences
// are the longest.
func NewByte() Tokenizer {
	tokens := make([][]byte, 257)
	for b := range 256 {
		tokens[b] = []byte{byte(b)}
	}
	return &byteLevel{table{name: "byte", tokens: tokens, endOfText: 256}}
}

func (t *byteLevel) Encode(text string) ([]int32, error) {
	ids := make([]int32, len(text))
	for i := range len(text) {
		ids[i] = int32(text[i])
	}
	return ids, nil
}
