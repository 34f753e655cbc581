package data

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"unicode/utf8"
)

// Document is one text by itself: a story, a file.
type Document struct {
	Source string // where it is from, for messages
	Text   string // valid UTF-8
}

// Corpus is a list of documents.
type Corpus struct {
	Documents []Document
	// Report says how Load read them.
	Report Report
}

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
// by their bytes. A document that alone would overshoot by more than half of what
// is wanted is cut, and so is a single one: of its n characters the first
// ⌊n·(1-fraction)⌋ are for training, as in nanoGPT.
func (c Corpus) Split(fraction float64) (training, validation Corpus) {
	want := float64(c.Bytes()) * fraction
	left := want
	first := len(c.Documents)
	for ; first > 0 && left > 0; first-- {
		d := c.Documents[first-1]
		size := float64(len(d.Text))
		if first == 1 || size-left > want/2 {
			head, tail := d.cut(1 - left/size)
			training.Documents = append(slices.Clone(c.Documents[:first-1]), head)
			validation.Documents = append([]Document{tail}, c.Documents[first:]...)
			return training, validation
		}
		left -= size
	}
	return Corpus{Documents: slices.Clip(c.Documents[:first])}, Corpus{Documents: c.Documents[first:]}
}

// Validation splits that say something about a model: with fewer than enoughValidation
// bytes chance decides, but no more than mostValidation of a text is held out for that.
const (
	enoughValidation = 50_000
	mostValidation   = 0.1
)

// ValidationFraction is how much of a corpus to hold out if the given fraction is meant for
// a large one: more of a small one, so that the split says something.
func (c Corpus) ValidationFraction(fraction float64) float64 {
	enough := float64(enoughValidation) / float64(max(c.Bytes(), 1))
	return max(fraction, math.Round(1000*min(mostValidation, enough))/1000)
}

// cut divides a document after that fraction of its characters.
func (d Document) cut(fraction float64) (head, tail Document) {
	keep := int(float64(utf8.RuneCountInString(d.Text)) * fraction)
	at := len(d.Text)
	for i := range d.Text {
		if keep == 0 {
			at = i
			break
		}
		keep--
	}
	return Document{d.Source, d.Text[:at]}, Document{d.Source, d.Text[at:]}
}
