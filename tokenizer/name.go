package tokenizer

import (
	"fmt"
	"strconv"
	"strings"
)

// TokenName is what Hugging Face's files call a token: a special token's name, or
// its text, in which byte-level kinds write each byte as a visible character
// ("Ġthe") and GPT-1's marks the end of a word ("the</w>"). It is empty for an id
// out of range and for tokenizers from outside this package.
func TokenName(t Tokenizer, id int32) string {
	e, ok := t.(extendable)
	if !ok || id < 0 || int(id) >= t.VocabSize() {
		return ""
	}
	return written(e, id)
}

// Readable is a token for people: a special token's name, or its text, with control
// characters and bytes that are no whole character escaped as in Go and Python,
// like \n and \xe7\xa3. A very long one is cut off.
func Readable(t Tokenizer, id int32) string {
	const most = 80 // characters; a token may have as many as its text
	name := readable(t, id)
	if r := []rune(name); len(r) > most {
		return fmt.Sprintf("%s… (%d bytes)", string(r[:most]), len(t.Bytes(id)))
	}
	return name
}

func readable(t Tokenizer, id int32) string {
	text, _ := NameOrText(t, id)
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
