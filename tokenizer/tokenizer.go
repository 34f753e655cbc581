// Package tokenizer turns text into token ids and back.
//
// The main kind is byte-level byte-pair encoding as in GPT-2 (Radford et al.
// 2019, section 2.2; Sennrich et al. 2016), trained on the user's own text
// (TrainBPE) or with GPT-2's published vocabulary (GPT2, built in, no network).
// There are also GPT-1's encoding of lower-case words and BERT's WordPiece, which
// Chinese GPT-2s have (both read from their files),
// one token per character, as nanoGPT's first example has it (NewChar), and one
// token per byte (NewByte). Encoding runs through tiktoken-go.
//
// Tokenizers live in Hugging Face's files: what this package writes, its
// tokenizers and transformers libraries read as they are, with the same ids, and
// the other way round; tiktoken's ranks are read and written too. The package
// knows nothing of models or of token streams on disk. It leaves out
// normalisation (text is taken as it is, byte for byte) but for GPT-1's and BERT's.
package tokenizer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
)

// Tokenizer is a vocabulary of VocabSize tokens with ids 0 … VocabSize-1. All
// of them are safe for concurrent use and never change once made.
type Tokenizer interface {
	// Encode returns the ids of text. Special tokens written out in the text are
	// ordinary text (EncodeSpecial is the other way). Decoding the result gives the
	// text back, byte for byte; GPT-1's and BERT's kinds are the exception, which
	// lower-case words and separate them by spaces. Text that cannot be encoded (a
	// character that is not in the vocabulary, invalid UTF-8) is an error that says
	// where.
	Encode(text string) ([]int32, error)

	// Decode joins the tokens' bytes. The result may be invalid UTF-8 if the ids end
	// within a character; Stream waits for the rest of it. Special tokens contribute
	// nothing. An id out of range is an error.
	Decode(ids []int32) (string, error)

	// VocabSize is the number of tokens, special ones included.
	VocabSize() int

	// EndOfText is the id of the token that separates documents, <|endoftext|>
	// for our own; -1 if there is none, as in GPT-1's published vocabulary.
	EndOfText() int32

	// SpecialTokens lists the tokens that stand for no text, the end of text
	// among them, in the order of their ids. The slice belongs to the tokenizer.
	SpecialTokens() []SpecialToken

	// Name is short and for people: "bpe-1024", "gpt2", "char", "byte".
	Name() string

	// Bytes returns the bytes that id stands for: none for a special token or
	// an id out of range. The slice belongs to the tokenizer: do not write to it.
	Bytes(id int32) []byte
}

// EndOfTextName is how the end-of-text token is written where tokens are shown
// by name, as in GPT-2's vocabulary.
const EndOfTextName = "<|endoftext|>"

// Fingerprint returns a SHA-256 in hexadecimal over everything that gives ids their
// meaning: the name, which says how text is split, the bytes of each token, the names
// of the special ones, and the order of the merges. Two tokenizers with the same
// fingerprint encode alike, so data and models keep it to refuse one another's tokens.
func Fingerprint(t Tokenizer) string {
	var b []byte
	b = appendSized(b, []byte(t.Name()))
	b = binary.LittleEndian.AppendUint32(b, uint32(t.EndOfText()))
	for id := range int32(t.VocabSize()) {
		b = appendSized(b, t.Bytes(id))
	}
	for _, s := range t.SpecialTokens() {
		b = binary.LittleEndian.AppendUint32(b, uint32(s.ID))
		b = appendSized(b, []byte(s.Name))
		if s.Match != (Match{}) {
			b = fmt.Append(b, s.Match)
		}
	}
	if t, ok := t.(interface{ cutOut() []SpecialToken }); ok {
		for _, s := range t.cutOut() {
			b = fmt.Append(b, s)
		}
	}
	if t, ok := t.(*wordPiece); ok { // bytes don't say what is within a word
		for _, name := range t.names {
			b = appendSized(b, []byte(name))
		}
	}
	if t, ok := t.(interface{ order() []int32 }); ok {
		for _, id := range t.order() {
			b = binary.LittleEndian.AppendUint32(b, uint32(id))
		}
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// appendSized appends p's length and p, so that neighbours cannot run together.
func appendSized(b, p []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(p)))
	return append(b, p...)
}

// table is what all kinds share: the bytes of each token by id, with an empty
// entry for each special one.
type table struct {
	name      string
	tokens    [][]byte
	special   []SpecialToken
	added     []SpecialToken // tokens of text that are cut out of it before all others
	endOfText int32
	// chatTemplate says how conversations are written; "" if nothing does.
	chatTemplate string
	begin        begin
}

// withEndOfText makes a table of ordinary tokens and the end of text after them.
func withEndOfText(tokens [][]byte) table {
	end := int32(len(tokens))
	return table{
		tokens:    append(slices.Clip(tokens), nil),
		special:   []SpecialToken{{Name: EndOfTextName, ID: end}},
		endOfText: end,
	}
}

func (t *table) VocabSize() int                { return len(t.tokens) }
func (t *table) EndOfText() int32              { return t.endOfText }
func (t *table) SpecialTokens() []SpecialToken { return t.special }
func (t *table) cutOut() []SpecialToken        { return t.added }
func (t *table) Name() string                  { return t.name }

func (t *table) Bytes(id int32) []byte {
	if id < 0 || int(id) >= len(t.tokens) {
		return nil
	}
	return t.tokens[id]
}

func (t *table) Decode(ids []int32) (string, error) {
	n := 0
	for _, id := range ids {
		if err := checkID(t, id); err != nil {
			return "", err
		}
		n += len(t.tokens[id])
	}
	b := make([]byte, 0, n)
	for _, id := range ids {
		b = append(b, t.tokens[id]...)
	}
	return string(b), nil
}

// checkID returns an error unless t has a token id.
func checkID(t interface {
	Name() string
	VocabSize() int
}, id int32) error {
	if id < 0 || int(id) >= t.VocabSize() {
		return fmt.Errorf("token id %d is not in the vocabulary: tokenizer %s has ids 0 to %d", id, t.Name(), t.VocabSize()-1)
	}
	return nil
}
