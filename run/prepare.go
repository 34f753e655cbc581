package run

import (
	"errors"
	"fmt"
	"math"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/data/story"
	"tinygpt/tokenizer"
)

// Texts are what a configuration names, and its two splits.
type Texts struct {
	Whole, Training, Validation data.Corpus
	// SHA256 is that of the whole corpus.
	SHA256 string
	// FloorBits is the information content of the validation split in bits, known
	// exactly for the built-in stories; 0 otherwise.
	FloorBits float64
}

// LoadTexts reads the files of the configuration, or generates the stories.
func LoadTexts(c configs.Data) (*Texts, error) {
	var corpus data.Corpus
	var bits []float64 // by document, of the stories
	switch {
	case len(c.Files) > 0:
		var err error
		if corpus, err = data.Load(c.Files); err != nil {
			return nil, err
		}
	case c.StoriesBytes <= 0:
		return nil, errors.New("no text: give --data FILE, or set data.files, or data.stories_bytes for the built-in stories")
	default:
		for i, s := range story.Corpus(c.StoriesSeed, c.StoriesBytes) {
			corpus.Documents = append(corpus.Documents, data.Document{Source: fmt.Sprintf("story %d", i), Text: s.Text})
			bits = append(bits, s.Bits)
		}
	}
	t := &Texts{Whole: corpus, SHA256: corpus.SHA256()}
	t.Training, t.Validation = corpus.Split(c.ValFraction)
	// Of a story that the split cut through, the information content isn't known.
	if whole := len(t.Training.Documents)+len(t.Validation.Documents) == len(bits); whole {
		for _, b := range bits[len(t.Training.Documents):] {
			t.FloorBits += b
		}
	}
	return t, nil
}

// FloorBitsPerByte is the least that predicting the validation split can cost; 0
// if unknown.
func (t *Texts) FloorBitsPerByte() float64 {
	return t.FloorBits / float64(t.Validation.Bytes())
}

// FloorLoss is the same in nats per token, for a split of that many predicted
// tokens.
func (t *Texts) FloorLoss(tokens int) float64 {
	return t.FloorBits * math.Ln2 / float64(tokens)
}

// NewTokenizer makes the tokenizer of the configuration; bpe learns its merges
// from the training split, char its characters from the whole text.
func NewTokenizer(c configs.Tokenizer, t *Texts) (tokenizer.Tokenizer, error) {
	switch c.Kind {
	case "gpt2":
		return tokenizer.GPT2()
	case "byte":
		return tokenizer.NewByte(), nil
	case "char":
		return tokenizer.NewChar(t.Whole.Texts())
	case "bpe":
		return tokenizer.TrainBPE(t.Training.Texts(), c.VocabSize)
	case configs.Imported:
		return nil, errors.New("tokenizer.kind is imported: such a tokenizer belongs to the weights of a run; begin with both by --from RUN")
	}
	return nil, fmt.Errorf("tokenizer.kind is %q: expected bpe, gpt2, char or byte", c.Kind)
}

// Streams encodes both splits and checks that a window of the context fits into
// each.
func (t *Texts) Streams(enc tokenizer.Tokenizer, context int) (training, validation *data.Stream, err error) {
	if training, err = data.Tokenize(t.Training, enc); err != nil {
		return nil, nil, err
	}
	if validation, err = data.Tokenize(t.Validation, enc); err != nil {
		return nil, nil, err
	}
	return training, validation, errors.Join(training.Check("training", context), validation.Check("validation", context))
}
