package training

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"tinygpt/data"
	"tinygpt/data/story"
	"tinygpt/data/world"
	"tinygpt/embedding/corpus"
	"tinygpt/tokenizer"
)

// ReadText reads the text of a configuration: its files or else the built-in stories. read says
// what files were read. A vocabulary of fewer than corpus.Smallest words is an error unless
// force is set, and so is a configuration without a text.
func ReadText(d Data, force bool) (text *corpus.Text, read data.Report, err error) {
	split, err := d.splitter()
	if err != nil {
		return nil, read, err
	}
	b := corpus.NewBuilder(split)
	switch {
	case len(d.Files) > 0:
		read, err = data.EachLine(d.Files, data.Options{Encoding: d.Encoding}, b.Add)
	case d.StoriesBytes <= 0:
		err = errors.New("no text: give --data FILE, or set data.files, or data.stories_bytes for the built-in stories")
	default:
		err = d.addStories(b)
	}
	if err == nil {
		text, err = b.Text(d.MinCount, d.MaxWords, force)
	}
	return text, read, err
}

// addStories adds the built-in stories.
func (d Data) addStories(b *corpus.Builder) error {
	language, err := story.ByName(d.StoriesLanguage)
	if err != nil {
		return fmt.Errorf("data.stories_language: %w", err)
	}
	if err := world.CheckSize(d.StoriesBytes); err != nil {
		return err
	}
	for _, doc := range world.Corpus(language, d.StoriesSeed, d.StoriesBytes, 0) {
		text := doc.Text
		if d.divided(language) {
			text = doc.Words()
		}
		if err := b.AddText(text); err != nil {
			return err
		}
	}
	return nil
}

// divided says whether the words are those that the stories' grammar divides them into:
// those of a language that is written without spaces.
func (d Data) divided(l *story.Language) bool {
	return len(d.Files) == 0 && d.Words == "words" && d.Tokenizer == "" && l.Unspaced()
}

// splitter returns the splitter for the text.
func (d Data) splitter() (corpus.Splitter, error) {
	if l, err := story.ByName(d.StoriesLanguage); err == nil && d.divided(l) {
		return corpus.NewSplitter("spaces")
	}
	if d.Tokenizer == "" {
		return corpus.NewSplitter(d.Words)
	}
	t, err := tokenizer.Load(d.Tokenizer)
	if err != nil {
		return nil, err
	}
	return corpus.Tokens(t), nil
}

// fingerprint returns the SHA-256 of a text's vocabulary and tokens, in hexadecimal.
func fingerprint(t *corpus.Text) string {
	h := sha256.New()
	for _, w := range t.Vocabulary.Words {
		fmt.Fprintf(h, "%d\n", len(w))
		io.WriteString(h, w)
	}
	var buffer []byte
	t.Tokens.Blocks(func(tokens []int32) bool {
		buffer = buffer[:0]
		for _, id := range tokens {
			buffer = binary.LittleEndian.AppendUint32(buffer, uint32(id))
		}
		h.Write(buffer)
		return true
	})
	return hex.EncodeToString(h.Sum(nil))
}
