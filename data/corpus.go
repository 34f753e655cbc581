package data

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"slices"
	"unicode/utf8"
)

// Document is one text that stands for itself: a story, a file.
type Document struct {
	Source string // where it is from, for messages
	Text   string // valid UTF-8
}

// Corpus is a list of documents.
type Corpus struct{ Documents []Document }

// Bytes is the length of all texts.
func (c Corpus) Bytes() (n int) {
	for _, d := range c.Documents {
		n += len(d.Text)
	}
	return n
}

// Texts goes through the documents' texts.
func (c Corpus) Texts() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, d := range c.Documents {
			if !yield(d.Text) {
				return
			}
		}
	}
}

// SHA256 is a hash of all texts and their borders, in hexadecimal.
func (c Corpus) SHA256() string {
	h := sha256.New()
	for _, d := range c.Documents {
		fmt.Fprintf(h, "%d\n", len(d.Text))
		io.WriteString(h, d.Text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Split cuts off the last fraction of the corpus for validation: whole documents
// by their bytes, or of a single document the last characters (of n characters
// the first ⌊n·(1-fraction)⌋ are for training, as in nanoGPT).
func (c Corpus) Split(fraction float64) (training, validation Corpus) {
	if len(c.Documents) == 1 {
		d := c.Documents[0]
		keep := int(float64(utf8.RuneCountInString(d.Text)) * (1 - fraction))
		at := len(d.Text)
		for i := range d.Text {
			if keep == 0 {
				at = i
				break
			}
			keep--
		}
		return Corpus{[]Document{{d.Source, d.Text[:at]}}}, Corpus{[]Document{{d.Source, d.Text[at:]}}}
	}
	want := float64(c.Bytes()) * fraction
	first := len(c.Documents)
	for held := 0.0; first > 1 && held < want; {
		first--
		held += float64(len(c.Documents[first].Text))
	}
	return Corpus{slices.Clip(c.Documents[:first])}, Corpus{c.Documents[first:]}
}
