package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/data/story"
	"tinygpt/data/world"
	"tinygpt/internal/suggest"
	"tinygpt/tokenizer"
)

// Texts are what a configuration names, and its two splits.
type Texts struct {
	Whole, Training, Validation data.Corpus
	// SHA256 is the checksum of the whole corpus.
	SHA256 string
	// FloorBits is the information content of the validation split in bits, known
	// exactly for the built-in stories; 0 otherwise.
	FloorBits float64

	files       []string // that were asked for; none: the built-in stories
	valFraction float64  // of the texts is held out
}

// LoadTexts reads the files of the configuration, or generates the stories.
func LoadTexts(c configs.Data) (*Texts, error) { return loadTexts(c, false) }

// loadTexts is LoadTexts; if widen, more of small files is held out, see
// Options.WidenValidation.
func loadTexts(c configs.Data, widen bool) (*Texts, error) {
	var corpus data.Corpus
	var bits []float64 // of each story
	switch {
	case len(c.Files) > 0:
		var err error
		if corpus, err = data.Load(c.Files, data.Options{Encoding: c.Encoding}); err != nil {
			return nil, err
		}
	case c.StoriesBytes <= 0:
		return nil, errors.New("no text: give --data FILE, or set data.files, or data.stories_bytes for the built-in stories")
	default:
		language, err := story.ByName(c.StoriesLanguage)
		if err != nil {
			return nil, fmt.Errorf("data.stories_language: %w", err)
		}
		if err := world.CheckSize(c.StoriesBytes); err != nil {
			return nil, err
		}
		for i, d := range world.Corpus(language, c.StoriesSeed, c.StoriesBytes, c.Quizzes) {
			corpus.Documents = append(corpus.Documents, data.Document{Source: fmt.Sprintf("story %d", i), Text: d.Text})
			bits = append(bits, d.Bits)
		}
	}
	t := &Texts{Whole: corpus, SHA256: corpus.SHA256(), files: c.Files, valFraction: c.ValFraction}
	if widen && len(c.Files) > 0 {
		t.valFraction = corpus.ValidationFraction(c.ValFraction)
	}
	t.Training, t.Validation = corpus.Split(t.valFraction)
	// The information content of a story that the split cuts through isn't known.
	if whole := len(t.Training.Documents)+len(t.Validation.Documents) == len(bits); whole {
		for _, b := range bits[len(t.Training.Documents):] {
			t.FloorBits += b
		}
	}
	return t, nil
}

// piped is how the configuration of a run names texts that came through a pipe.
const piped = "-"

// SettleFiles returns the names of files as a run keeps them: absolute, and "-" for
// standard input and other pipes, which can't be read again.
func SettleFiles(files []string) (settled []string) {
	for _, name := range files {
		settled = append(settled, settleFile(name))
	}
	return settled
}

// SettleExamples does what SettleFiles does to the files of a fine-tuning's examples.
func SettleExamples(c configs.Config) configs.Config {
	for _, file := range []*string{&c.Finetune.Train, &c.Finetune.Dev, &c.Finetune.Test} {
		if *file != "" {
			*file = settleFile(*file)
		}
	}
	return c
}

// settleFile is SettleFiles for a single name.
func settleFile(name string) string {
	if isPipe(name) {
		return piped
	}
	if absolute, err := filepath.Abs(name); err == nil {
		return absolute
	}
	return name
}

// CheckReadable returns an error if one of a run's files came through a pipe. what they hold
// is for the message.
func CheckReadable(dir, what string, files ...string) error {
	for _, file := range files {
		if file != "" && isPipe(file) {
			return fmt.Errorf("%s: its %s came through a pipe and can't be read again: keep them in a file, and start a new run", dir, what)
		}
	}
	return nil
}

// isPipe says whether a name stands for texts that can be read once: standard input, a
// file descriptor such as a shell's <(command) gives, a named pipe.
func isPipe(name string) bool {
	if name == piped || name == "/dev/stdin" || strings.HasPrefix(name, "/dev/fd/") || strings.HasPrefix(name, "/proc/self/fd/") {
		return true
	}
	info, err := os.Stat(name)
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeCharDevice|os.ModeSocket) != 0
}

// textsAgain reads a run's texts again, and checks that they are those that it began with.
func (r *Run) textsAgain() (*Texts, error) {
	for _, name := range r.Config.Data.Files {
		if isPipe(name) {
			return nil, fmt.Errorf("%s: the run's texts came through a pipe and can't be read again, and its %s.tokens and %s.tokens are not both in the folder and undamaged: start a new run", r.Dir, trainingSplit, validationSplit)
		}
	}
	if len(r.Config.Data.Files) > 0 && r.Found.TextSHA256 == "" {
		return nil, fmt.Errorf("%s: the run has noted no checksum of its texts, so it can't be said whether they are still the same: name a text with --data", r.Dir)
	}
	t, err := LoadTexts(r.Config.Data)
	if err != nil {
		return nil, fmt.Errorf("%s: the run's texts: %w", r.Dir, err)
	}
	if r.Found.TextSHA256 != "" && t.SHA256 != r.Found.TextSHA256 {
		return nil, fmt.Errorf("%s: the texts are not those that the run began with (sha256 %.12s…, now %.12s…): restore them, or start a new run", r.Dir, r.Found.TextSHA256, t.SHA256)
	}
	return t, nil
}

// checkTexts returns an error if the run's texts are there, but aren't those that it began
// with.
func (r *Run) checkTexts() error {
	for _, name := range r.Config.Data.Files {
		if _, err := os.Stat(name); err != nil || isPipe(name) {
			return nil // its tokens are in its folder
		}
	}
	_, err := r.textsAgain()
	return err
}

// NewTokenizer makes the tokenizer of the configuration; bpe learns its merges
// from the training split, char its characters from the whole text. One from a
// file gets an end of text if it has none, as GPT-1's. The options are for bpe.
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
	return nil, fmt.Errorf("tokenizer.kind is %q: %s", c.Kind, suggest.Expected(c.Kind, configs.TokenizerKinds...))
}
