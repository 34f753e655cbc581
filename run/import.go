package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tinygpt/configs"
	"tinygpt/internal/userfile"
	"tinygpt/model"
	"tinygpt/tokenizer"
)

// importPreset has the settings that an imported run starts with: those for going on
// training.
const importPreset = "continue.yaml"

// Import makes a run of a model that was trained elsewhere; dir is as in Create,
// named after what is imported. That is a folder in Hugging Face's layout
// (model.ReadHuggingFace, tokenizer.ReadHuggingFace) or a file of minGPT's
// (model.ReadMinGPT), whose tokens are written as digits. The weights are in memory
// once. Tensors that have no place in the model are left out and returned.
func Import(from, dir string, progress model.Progress) (r *Run, leftOut []string, err error) {
	absolute, err := filepath.Abs(from)
	if err != nil {
		return nil, nil, err
	}
	info, err := os.Stat(from)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: no such folder: expected one with config.json, model.safetensors and tokenizer.json, as transformers' save_pretrained makes it", absolute)
	}
	var m *model.Model
	var t tokenizer.Tokenizer
	switch {
	case info.IsDir():
		m, t, leftOut, err = importHuggingFace(from, progress)
	case filepath.Ext(from) == ".json":
		m, t, err = importMinGPT(from)
	default:
		err = fmt.Errorf("%s is a file: expected the folder that it is in, with config.json, model.safetensors and tokenizer.json", from)
	}
	if err != nil {
		return nil, nil, err
	}
	c, err := configs.Preset(importPreset)
	if err != nil {
		return nil, nil, err
	}
	c.Weights.From, c.Model, c.Tokenizer = absolute, m.Config, configs.Tokenizer{Kind: configs.Imported, VocabSize: t.VocabSize()}
	r, err = Create(dir, strings.TrimSuffix(filepath.Base(absolute), ".json"), Imported, c, t, m)
	return r, leftOut, err
}

func importHuggingFace(from string, progress model.Progress) (*model.Model, tokenizer.Tokenizer, []string, error) {
	if err := userfile.CheckLinks(from); err != nil {
		return nil, nil, nil, err
	}
	t, err := tokenizer.ReadHuggingFace(from)
	if err != nil {
		return nil, nil, nil, err
	}
	m, leftOut, err := model.ReadHuggingFace(userfile.Folder(from), progress)
	if err == nil {
		t, err = padded(t, m.Config.VocabSize)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", from, err)
	}
	return m, t, leftOut, nil
}

// importMinGPT reads one of minGPT's models of digits, like the one that sorts.
func importMinGPT(from string) (*model.Model, tokenizer.Tokenizer, error) {
	const digits = "0123456789"
	text, err := userfile.Read(from)
	if err != nil {
		return nil, nil, err
	}
	m, err := model.ReadMinGPT(text)
	if err == nil && m.Config.VocabSize > len(digits) {
		err = fmt.Errorf("vocab_size is %d: of minGPT's models only those of up to %d digits have an evident text", m.Config.VocabSize, len(digits))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", from, err)
	}
	t, err := tokenizer.NewSymbols(digits[:m.Config.VocabSize])
	return m, t, err
}

// padded gives the tokenizer as many tokens as the model has. The table of a model
// is often rounded up; what is beyond the tokenizer's becomes special tokens, which
// stand for no text.
func padded(t tokenizer.Tokenizer, size int) (tokenizer.Tokenizer, error) {
	have := t.VocabSize()
	if have > size {
		return nil, fmt.Errorf("the tokenizer has %d tokens, the model %d: the files are of two models, or tokens were added without the model learning of them", have, size)
	}
	var names []string
	for id := have; id < size; id++ {
		names = append(names, fmt.Sprintf("[PAD%d]", id))
	}
	if names == nil {
		return t, nil
	}
	return tokenizer.WithSpecialTokens(t, names...)
}
