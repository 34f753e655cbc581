package finetune

import (
	"fmt"

	"tinygpt/data/labelled"
	"tinygpt/tokenizer"
)

// Item is an example as the model reads it.
type Item struct {
	Example   labelled.Example
	Sequences [][]int32
	// Words[i] (tagging only) is the position whose state predicts word i's tag; -1 if
	// the word was truncated.
	Words []int
	// Class is the index of the right class or choice, Grade the label of a regression,
	// Tags the indices of the words' tags.
	Class int32
	Grade float64
	Tags  []int32
	// Cut says that the example was too long and lost a part.
	Cut bool
}

// Length returns the length of the longest sequence, in tokens.
func (it *Item) Length() (n int) {
	for _, s := range it.Sequences {
		n = max(n, len(s))
	}
	return n
}

// Encoder turns examples into items.
type Encoder struct {
	Tokenizer tokenizer.Tokenizer // with the special tokens, see Extend
	Special   Special
	// Setup has the task, and the classes or whatever else the labels need.
	Setup Setup
	// Context is the maximum number of tokens of a sequence.
	Context int
}

// minContext is the minimum of Encoder.Context: special tokens around short texts.
const minContext = 8

// Items encodes the examples. Without withLabels it doesn't read their labels. An example whose
// text has no tokens, or whose label isn't one of the task's, is an error that names its file
// and line.
func (e *Encoder) Items(examples []labelled.Example, withLabels bool) ([]*Item, error) {
	t := tasks[e.Setup.Task]
	head := t.head(&e.Setup)
	if e.Context < minContext {
		return nil, fmt.Errorf("a context of %d tokens has no room for an example: expected %d or more", e.Context, minContext)
	}
	var items []*Item
	for _, x := range examples {
		p, err := e.parts(x)
		if err != nil {
			return nil, err
		}
		b := sequenceBuilder{special: e.Special, room: e.Context, truncate: e.Setup.Truncate}
		it := &Item{Example: x, Sequences: t.arrange(&b, p)}
		it.Words, it.Cut = b.words, b.cut
		if withLabels {
			if err := head.label(it); err != nil {
				return nil, err
			}
		}
		items = append(items, it)
	}
	return items, nil
}

// parts encodes the texts, choices and words of an example.
func (e *Encoder) parts(x labelled.Example) (p parts, err error) {
	encode := func(texts []string, before string) [][]int32 {
		var out [][]int32
		for i, text := range texts {
			if i > 0 {
				text = before + text
			}
			tokens, failed := e.Tokenizer.Encode(text)
			if failed == nil && len(tokens) == 0 {
				failed = fmt.Errorf("the text %q has no tokens", text)
			}
			if failed != nil && err == nil {
				err = x.Errorf("%s", failed)
			}
			out = append(out, tokens)
		}
		return out
	}
	p.texts, p.choices = encode(x.Texts, ""), encode(x.Choices, "")
	// Words within a sentence begin with the space before them, as in running text.
	p.words = encode(x.Tokens, " ")
	return p, err
}

// Truncated returns the number of items that were truncated.
func Truncated(items []*Item) (n int) {
	for _, it := range items {
		if it.Cut {
			n++
		}
	}
	return n
}
