package run

import (
	"fmt"
	"os"
	"path/filepath"

	"tinygpt/configs"
	"tinygpt/model"
	"tinygpt/tokenizer"
)

// importPreset has the settings that an imported run starts with: those for going on
// training.
const importPreset = "continue.yaml"

// Import makes a run of a folder in Hugging Face's layout (model.ReadHuggingFace,
// tokenizer.ReadHuggingFace); dir is as in Create, named after the folder. The
// weights are in memory once. Tensors that have no place in the model are left out
// and returned.
//
// The model may have more tokens than the tokenizer, as of a table that was rounded
// up: they become special tokens, which stand for no text.
func Import(from, dir string, progress model.Progress) (r *Run, leftOut []string, err error) {
	absolute, err := filepath.Abs(from)
	if err != nil {
		return nil, nil, err
	}
	if info, err := os.Stat(from); err != nil || !info.IsDir() {
		return nil, nil, fmt.Errorf("%s: no such folder: expected one with config.json, model.safetensors and tokenizer.json, as transformers' save_pretrained makes it", absolute)
	}
	t, err := tokenizer.ReadHuggingFace(from)
	if err != nil {
		return nil, nil, err
	}
	m, leftOut, err := model.ReadHuggingFace(os.DirFS(from), progress)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", from, err)
	}
	if t, err = padded(t, m.Config.VocabSize); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", from, err)
	}
	c, err := configs.Preset(importPreset)
	if err != nil {
		return nil, nil, err
	}
	c.Weights.From, c.Model, c.Tokenizer = absolute, m.Config, configs.Tokenizer{Kind: configs.Imported, VocabSize: t.VocabSize()}
	r, err = Create(dir, filepath.Base(absolute), c, t, m)
	return r, leftOut, err
}

// padded gives the tokenizer as many tokens as the model has.
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

// Imported says whether the run was imported and not trained here.
func (r *Run) Imported() bool {
	return r.Config.Tokenizer.Kind == configs.Imported && r.Config.Data.SHA256 == ""
}
