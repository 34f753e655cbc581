package tokenizer

// byteLevel has one token per byte. Unlike with the other kinds, any string is
// fine, valid UTF-8 or not.
type byteLevel struct{ table }

// NewByte returns the tokenizer whose ids are the bytes themselves, with the end
// of text as 256. It needs no training and knows no unknown text; its sequences
// are the longest.
func NewByte() Tokenizer {
	tokens := make([][]byte, 256)
	for b := range tokens {
		tokens[b] = []byte{byte(b)}
	}
	return newByteLevel(withEndOfText(tokens))
}

func newByteLevel(t table) *byteLevel {
	t.name = t.nameWithExtra("byte")
	return &byteLevel{t}
}

func (t *byteLevel) extended(more table) Tokenizer { return newByteLevel(more) }

func (t *byteLevel) visible(id int32) string { return printable(t.tokens[id]) }

func (t *byteLevel) Encode(text string) ([]int32, error) {
	ids := make([]int32, len(text))
	for i := range len(text) {
		ids[i] = int32(text[i])
	}
	return ids, nil
}
