package tokenizer

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"tinygpt/internal/userfile"
)

// ReadTiktoken reads a file of tiktoken's ranks: a line per token, its bytes in
// base64 and its rank, which is its id. The file says nothing of special tokens:
// the end of text takes the first id that no token has, as in GPT-2's r50k_base.
// Nor does it say how text is split: that is GPT-2's way here, which tiktoken has
// for r50k_base and p50k_base.
func ReadTiktoken(path string) (Tokenizer, error) {
	b, err := userfile.Read(path)
	if err != nil {
		return nil, err
	}
	t, err := parseTiktoken(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// otherPatterns are tiktoken's vocabularies for which GPT-2's way of splitting is
// wrong, by the SHA-256 of their files.
var otherPatterns = map[string]string{
	"223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7": "cl100k_base",
	"446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d": "o200k_base",
}

func parseTiktoken(b []byte) (Tokenizer, error) {
	sum := sha256.Sum256(b)
	if name, ok := otherPatterns[hex.EncodeToString(sum[:])]; ok {
		return nil, fmt.Errorf("this is %s, which splits text by another pattern than GPT-2's: expected ranks for GPT-2's, like r50k_base", name)
	}
	tokens := make(map[int32][]byte)
	seen := make(map[string]int32)
	n := 0
	for line := range bytes.Lines(b) {
		n++
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			continue
		}
		encoded, number, _ := bytes.Cut(line, []byte(" "))
		token, err := base64.StdEncoding.Strict().DecodeString(string(encoded))
		rank, err2 := strconv.ParseUint(string(number), 10, 31)
		if err != nil || err2 != nil || len(token) == 0 {
			return nil, fmt.Errorf("line %d is %.80q, expected a token in base64, a space and its rank", n, line)
		}
		if _, ok := tokens[int32(rank)]; ok {
			return nil, fmt.Errorf("line %d: rank %d is there already", n, rank)
		}
		if other, ok := seen[string(token)]; ok {
			return nil, fmt.Errorf("line %d: token %q is there already, with rank %d", n, printable(token), other)
		}
		tokens[int32(rank)], seen[string(token)] = token, int32(rank)
	}
	end, highest := int32(0), int32(-1)
	for tokens[end] != nil {
		end++ // to the first free id
	}
	for id := range tokens {
		highest = max(highest, id)
	}
	if int(highest) > len(tokens) {
		return nil, fmt.Errorf("rank %d has no token, nor have others below %d: expected ranks without gaps, but for the end of text", end, highest)
	}
	t := table{
		tokens:    make([][]byte, len(tokens)+1),
		special:   []SpecialToken{{Name: EndOfTextName, ID: end}},
		endOfText: end,
	}
	var merged []int32
	for id, token := range tokens {
		t.tokens[id] = token
		if len(token) > 1 {
			merged = append(merged, id)
		}
	}
	slices.Sort(merged)
	return newByteLevelBPE(t, merged)
}

// WriteTiktoken writes t's ranks for tiktoken, of which a tokenizer is made there
// with GPT-2's pattern, as in the example next to r50k_base. Special tokens are not
// part of the file. Only byte-level tokenizers whose ids are in the order of their
// merges can be written; others are an error.
func WriteTiktoken(path string, t Tokenizer) error {
	return writeFile(path, t, formatTiktoken)
}

func formatTiktoken(t Tokenizer) ([]byte, error) {
	switch t := t.(type) {
	case *byteLevel:
	case *bpe:
		if len(t.added) > 0 {
			return nil, fmt.Errorf("it has tokens that are cut out of a text before all others, like %q, and tiktoken's files can't say that: write tokenizer.json", t.added[0].Name)
		}
		if !slices.IsSorted(t.ids[256:]) {
			return nil, errors.New("its ids are not in the order of its merges, and tiktoken has one number for both: write tokenizer.json")
		}
	default:
		return nil, errors.New("it is not byte-level BPE, which is all that tiktoken's files can hold: write tokenizer.json")
	}
	var b []byte
	for id := range int32(t.VocabSize()) {
		if token := t.Bytes(id); token != nil {
			b = fmt.Appendf(b, "%s %d\n", base64.StdEncoding.EncodeToString(token), id)
		}
	}
	return b, nil
}
