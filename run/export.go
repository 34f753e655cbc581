package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"tinygpt/model"
	"tinygpt/model/safetensors"
	"tinygpt/tokenizer"
)

// Format is what a run is exported as.
type Format string

const (
	// HuggingFace is a folder that transformers loads: config.json,
	// model.safetensors, and the tokenizer's files.
	HuggingFace Format = "huggingface"
	// GGUF is a file that llama.cpp runs, model.gguf.
	GGUF Format = "gguf"
)

// GGUFFile is the name of the one file of a GGUF export.
const GGUFFile = "model.gguf"

// Dtypes are the types of exported weights by PyTorch's names, with what they are
// narrowed to.
var Dtypes = map[string]safetensors.Dtype{"float32": "", "float16": safetensors.F16, "bfloat16": safetensors.BF16}

// Export writes the weights of a checkpoint (see Checkpoint) and the tokenizer into
// the folder to, which is made if need be. What is there of the same name is
// refused. Files appear when all of them are complete; when progress, which is told
// of the weights, returns an error, none do.
func (r *Run) Export(checkpoint, to string, format Format, narrow safetensors.Dtype, progress model.Progress) error {
	marks := map[Format][]string{HuggingFace: {"config.json", "model.safetensors", "tokenizer.json"}, GGUF: {GGUFFile}}[format]
	if marks == nil {
		return fmt.Errorf("format is %q: expected %s or %s", format, HuggingFace, GGUF)
	}
	for _, name := range marks {
		if _, err := os.Stat(filepath.Join(to, name)); err == nil {
			return fmt.Errorf("%s is there already: name another folder, or remove it", filepath.Join(to, name))
		}
	}
	m, _, err := r.Model(checkpoint)
	if err != nil {
		return err
	}
	return fill(to, func(dir string) error {
		if format == GGUF {
			vocabulary, err := ggufVocabulary(r.Tokenizer)
			if err != nil {
				return err
			}
			return m.WriteGGUF(filepath.Join(dir, GGUFFile), filepath.Base(r.Dir), vocabulary, narrow, progress)
		}
		if err := tokenizer.WriteHuggingFace(dir, r.Tokenizer, m.Config.Context); err != nil {
			return err
		}
		return m.WriteHuggingFace(dir, narrow, r.Tokenizer.EndOfText(), progress)
	})
}

// fill lets write fill a folder inside to, and moves the files up when it is done.
// When it fails, nothing is left behind.
func fill(to string, write func(dir string) error) (err error) {
	if _, missing := os.Stat(to); errors.Is(missing, fs.ErrNotExist) {
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				os.Remove(to)
			}
		}()
	}
	dir, err := os.MkdirTemp(to, ".export-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := write(dir); err != nil {
		return err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	// A folder with a config.json is a model, so it comes last.
	isConfig := func(f os.DirEntry) bool { return f.Name() == "config.json" }
	if i := slices.IndexFunc(files, isConfig); i >= 0 {
		files = append(slices.Delete(slices.Clone(files), i, i+1), files[i])
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(dir, f.Name()), filepath.Join(to, f.Name())); err != nil {
			return err
		}
	}
	return nil
}
