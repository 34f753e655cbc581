package run

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/tokenizer"
)

// Material is what a language model is trained on: a tokenizer, and both splits of the
// texts as tokens.
type Material struct {
	Tokenizer            tokenizer.Tokenizer
	Training, Validation *data.Stream
	// Read says what files were read and which were left out; "" if none were.
	Read string

	valFraction float64 // of the texts is held out
	found       Found
}

// The two splits of the texts.
const (
	trainingSplit   = "training"
	validationSplit = "validation"
)

// Prepare reads the texts of a configuration, learns the tokenizer that it asks for or
// takes that of the run in c.Weights.From, and encodes the texts. learning, unless nil,
// gives the options with which a tokenizer is learned from that many bytes of text.
func Prepare(c configs.Config, learning func(bytes int) []tokenizer.TrainOption) (*Material, error) {
	return prepare(c, false, learning)
}

// prepare is Prepare; if widen, more of a small text is held out, see
// Options.WidenValidation.
func prepare(c configs.Config, widen bool, learning func(bytes int) []tokenizer.TrainOption) (*Material, error) {
	var parent *Run
	if c.Weights.From != "" {
		var err error
		if parent, err = Open(c.Weights.From); err != nil {
			return nil, err
		}
	}
	texts, err := loadTexts(c.Data, widen)
	if err != nil {
		return nil, err
	}
	if parent != nil {
		return texts.encode(parent.Tokenizer, c.Model.Context)
	}
	var options []tokenizer.TrainOption
	if learning != nil {
		options = learning(texts.Training.Bytes())
	}
	tok, err := NewTokenizer(c.Tokenizer, texts, options...)
	if err != nil {
		return nil, err
	}
	return texts.encode(tok, c.Model.Context)
}

// encode makes the tokens of both splits and checks that a window of the context fits into
// each.
func (t *Texts) encode(tok tokenizer.Tokenizer, context int) (*Material, error) {
	m := &Material{Tokenizer: tok, valFraction: t.valFraction, found: Found{TextSHA256: t.SHA256, FloorBits: t.FloorBits}}
	if len(t.files) > 0 {
		m.Read = t.Whole.Report.String()
	}
	for _, split := range []struct {
		name   string
		corpus data.Corpus
		stream **data.Stream
		found  *Split
	}{{trainingSplit, t.Training, &m.Training, &m.found.Training}, {validationSplit, t.Validation, &m.Validation, &m.found.Validation}} {
		s, err := data.Tokenize(split.corpus, tokenizer.ForTexts(tok))
		if err != nil {
			return nil, err
		}
		*split.stream, *split.found = s, Split{SHA256: split.corpus.SHA256(), Bytes: s.Bytes, Tokens: len(s.Tokens)}
	}
	m.found.Validation.Cut = len(t.Training.Documents)+len(t.Validation.Documents) > len(t.Whole.Documents)
	return m, m.check(context)
}

// check says whether a window of the context fits into each split.
func (m *Material) check(context int) error {
	return errors.Join(m.Training.Check(trainingSplit, context), m.Validation.Check(validationSplit, context))
}

// TextSHA256 is the checksum of all texts.
func (m *Material) TextSHA256() string { return m.found.TextSHA256 }

// FloorBitsPerByte is the least that predicting the validation split can cost; 0 if it is
// unknown.
func (m *Material) FloorBitsPerByte() float64 { return m.found.FloorBitsPerByte() }

// FloorLoss is the same in nats per token.
func (m *Material) FloorLoss() float64 {
	return m.found.FloorBits * math.Ln2 / float64(max(len(m.Validation.Tokens)-1, 1))
}

// Opening returns the beginning of a text of the validation split, n bytes of it or a few
// less: that of its first line, unless the split begins within a document, which may be
// within a word; then of the first whole line, or if there is none the first whole word.
func (m *Material) Opening(n int) string {
	const most = 2000 // bytes of a line that is passed over
	var text []byte
	for _, id := range m.Validation.Tokens {
		if len(text) > 0 && id == m.Tokenizer.EndOfText() || len(text) > most+n+utf8.UTFMax {
			break
		}
		if id != m.Tokenizer.EndOfText() {
			text = append(text, m.Tokenizer.Bytes(id)...)
		}
	}
	if m.found.Validation.Cut {
		for _, end := range []string{"\n", " "} {
			if _, whole, ok := bytes.Cut(text, []byte(end)); ok && len(bytes.TrimSpace(whole)) > 0 {
				text = whole
				break
			}
		}
	}
	text = bytes.TrimLeft(text, "\n")
	return strings.ToValidUTF8(string(text[:min(n, len(text))]), "")
}

// save writes the tokens of both splits into the run's folder.
func (m *Material) save(r *Run) error {
	sum := tokenizer.Fingerprint(m.Tokenizer)
	return errors.Join(
		m.Training.WriteCache(r.tokensFile(trainingSplit), m.found.Training.SHA256, m.Tokenizer, sum),
		m.Validation.WriteCache(r.tokensFile(validationSplit), m.found.Validation.SHA256, m.Tokenizer, sum))
}

// tokensFile is the path of a split's tokens.
func (r *Run) tokensFile(split string) string { return filepath.Join(r.Dir, split+".tokens") }

// Material returns what the run is trained on: the tokens in its folder, or if these are
// not all there and undamaged, those of its texts, which are read again.
func (r *Run) Material() (*Material, error) {
	m := &Material{Tokenizer: r.Tokenizer, found: r.Found}
	var err error
	if m.Training, err = r.savedTokens(trainingSplit, r.Found.Training); err == nil {
		m.Validation, err = r.savedTokens(validationSplit, r.Found.Validation)
	}
	if err == nil {
		return m, m.check(r.Config.Model.Context)
	}
	texts, err := r.textsAgain()
	if err != nil {
		return nil, err
	}
	if m, err = texts.encode(r.Tokenizer, r.Config.Model.Context); err == nil {
		_ = m.save(r) // a folder that can't be written to does no harm
	}
	return m, err
}

// ValidationTokens returns the tokens of the validation split, and the least bits per byte
// that predicting it can cost, 0 if unknown. The run's texts are needed only if the tokens
// in its folder are missing or damaged.
func (r *Run) ValidationTokens() (*data.Stream, float64, error) {
	if s, err := r.savedTokens(validationSplit, r.Found.Validation); err == nil {
		return s, r.Found.FloorBitsPerByte(), nil
	}
	m, err := r.Material()
	if err != nil {
		return nil, 0, err
	}
	return m.Validation, m.FloorBitsPerByte(), nil
}

// savedTokens reads the tokens of a split from the run's folder.
func (r *Run) savedTokens(split string, s Split) (*data.Stream, error) {
	if s.SHA256 == "" {
		return nil, errors.New("an earlier program made the run, and noted no checksum of the split")
	}
	return data.ReadCache(r.tokensFile(split), s.SHA256, r.Tokenizer, tokenizer.Fingerprint(r.Tokenizer))
}
