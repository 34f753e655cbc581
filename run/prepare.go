package run

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/data/world"
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
		if corpus, err = data.Load(c.Files, data.Options{Encoding: c.Encoding}); err != nil {
			return nil, err
		}
	case c.StoriesBytes <= 0:
		return nil, errors.New("no text: give --data FILE, or set data.files, or data.stories_bytes for the built-in stories")
	default:
		for i, d := range world.Corpus(c.StoriesSeed, c.StoriesBytes, c.Quizzes) {
			corpus.Documents = append(corpus.Documents, data.Document{Source: fmt.Sprintf("story %d", i), Text: d.Text})
			bits = append(bits, d.Bits)
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
// from the training split, char its characters from the whole text. One from a
// file gets an end of text if it has none, as GPT-1's. Options are of bpe.
func NewTokenizer(c configs.Tokenizer, t *Texts, options ...tokenizer.TrainOption) (tokenizer.Tokenizer, error) {
	if c.File != "" {
		tok, err := tokenizer.Load(c.File)
		if err != nil || tok.EndOfText() >= 0 {
			return tok, err
		}
		return tokenizer.WithSpecialTokens(tok, tokenizer.EndOfTextName)
	}
	switch c.Kind {
	case "gpt2":
		return tokenizer.GPT2()
	case "byte":
		return tokenizer.NewByte(), nil
	case "char":
		return tokenizer.NewChar(t.Whole.Texts())
	case "bpe":
		return tokenizer.TrainBPE(t.Training.Texts(), c.VocabSize, options...)
	case configs.Imported:
		return nil, errors.New("tokenizer.kind is imported: such a tokenizer belongs to the weights of a run; begin with both by --from RUN")
	}
	return nil, fmt.Errorf("tokenizer.kind is %q: expected bpe, gpt2, char or byte", c.Kind)
}

// Streams encodes both splits and checks that a window of the context fits into
// each.
func (t *Texts) Streams(enc tokenizer.Tokenizer, context int) (training, validation *data.Stream, err error) {
	return t.streams(context, func(_ string, c data.Corpus) (*data.Stream, error) { return data.Tokenize(c, enc) })
}

func (t *Texts) streams(context int, stream func(split string, c data.Corpus) (*data.Stream, error)) (training, validation *data.Stream, err error) {
	if training, err = stream(trainingSplit, t.Training); err != nil {
		return nil, nil, err
	}
	if validation, err = stream(validationSplit, t.Validation); err != nil {
		return nil, nil, err
	}
	return training, validation, errors.Join(training.Check(trainingSplit, context), validation.Check(validationSplit, context))
}

const (
	trainingSplit   = "training"
	validationSplit = "validation"
)

// Streams returns the tokens of both splits, like Texts.Streams, from the run's
// cache where that holds them.
func (r *Run) Streams(t *Texts) (training, validation *data.Stream, err error) {
	return t.streams(r.Config.Model.Context, r.stream)
}

// Validation returns the tokens of the validation split, like Streams.
func (r *Run) Validation(t *Texts) (*data.Stream, error) {
	return r.stream(validationSplit, t.Validation)
}

// stream returns the tokens of a split from its cache. If that is absent, damaged
// or of another text or tokenizer, it is made anew; a folder that can't be written
// to does no harm.
func (r *Run) stream(split string, c data.Corpus) (*data.Stream, error) {
	sum := tokenizer.Fingerprint(r.Tokenizer)
	if s, err := data.ReadCache(r.cache(split), c, r.Tokenizer, sum); err == nil {
		return s, nil
	}
	s, err := data.Tokenize(c, r.Tokenizer)
	if err == nil {
		s.WriteCache(r.cache(split), c, r.Tokenizer, sum)
	}
	return s, err
}

// Cache writes the tokens of both splits beside the run, so that they are encoded
// only once.
func (r *Run) Cache(t *Texts, training, validation *data.Stream) error {
	sum := tokenizer.Fingerprint(r.Tokenizer)
	return errors.Join(
		training.WriteCache(r.cache(trainingSplit), t.Training, r.Tokenizer, sum),
		validation.WriteCache(r.cache(validationSplit), t.Validation, r.Tokenizer, sum))
}

// cache is the path of a split's tokens.
func (r *Run) cache(split string) string { return filepath.Join(r.Dir, split+".tokens") }
