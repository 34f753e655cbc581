package run

import (
	"fmt"
	"os"
	"path/filepath"

	"tinygpt/internal/atomicfile"
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
// refused. The files appear when all of them are complete. progress is called while the
// weights are written; when it returns an error, no file appears.
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
	if r.Kind == Reward {
		return r.exportReward(checkpoint, to, format, narrow, progress)
	}
	m, _, err := r.Model(checkpoint)
	if err != nil {
		return err
	}
	// A folder with a config.json is a model, so it comes last.
	return atomicfile.WriteFolder(to, "config.json", func(dir string) error {
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

// exportReward writes a reward model as a classifier with one label, which transformers'
// AutoModelForSequenceClassification gives the same scores.
func (r *Run) exportReward(checkpoint, to string, format Format, narrow safetensors.Dtype, progress model.Progress) error {
	if format != HuggingFace {
		return fmt.Errorf("%s is a reward model, which gives scores and writes nothing: expected the format %s, not %s", r.Dir, HuggingFace, format)
	}
	c, err := r.classifier()
	if err != nil {
		return err
	}
	m, err := r.RewardModel(checkpoint)
	if err != nil {
		return err
	}
	return atomicfile.WriteFolder(to, "config.json", func(dir string) error {
		if err := tokenizer.WriteHuggingFace(dir, r.Tokenizer, m.Config.Context); err != nil {
			return err
		}
		return m.WriteHuggingFaceClassifier(dir, c, narrow, r.Tokenizer.EndOfText(), progress)
	})
}
