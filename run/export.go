package run

import (
	"fmt"
	"os"
	"path/filepath"

	"tinygpt/data/instruct"
	"tinygpt/finetune"
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

// Exported says what Export wrote.
type Exported struct {
	// Classifier says that it is a classifier for transformers, and not a language model.
	Classifier bool
	// Input shows how the text of a fine-tuned classifier is written, with its special
	// tokens.
	Input string
	// LeftOut says what of the run couldn't be exported, the network's head or its n-grams;
	// "" if all of it was.
	LeftOut string
}

// Export writes the weights of a checkpoint (see Checkpoint) and the tokenizer into
// the folder to, which is made if need be. What is there of the same name is
// refused. The files appear when all of them are complete. progress is called while the
// weights are written; when it returns an error, no file appears.
//
// A fine-tuned run becomes a classifier (GPT2ForSequenceClassification and its like) if
// transformers has one that computes the same; otherwise its head is left out.
func (r *Run) Export(checkpoint, to string, format Format, narrow safetensors.Dtype, progress model.Progress) (Exported, error) {
	var done Exported
	marks := map[Format][]string{HuggingFace: {"config.json", "model.safetensors", "tokenizer.json"}, GGUF: {GGUFFile}}[format]
	if marks == nil {
		return done, fmt.Errorf("format is %q: expected %s or %s", format, HuggingFace, GGUF)
	}
	for _, name := range marks {
		if _, err := os.Stat(filepath.Join(to, name)); err == nil {
			return done, fmt.Errorf("%s is there already: name another folder, or remove it", filepath.Join(to, name))
		}
	}
	write, done, err := r.exporter(checkpoint, format, narrow, progress)
	if err != nil {
		return done, err
	}
	// A folder with a config.json is a model, so it comes last.
	return done, atomicfile.WriteFolder(to, "config.json", write)
}

// exporter loads the weights and returns what writes them into a folder.
func (r *Run) exporter(checkpoint string, format Format, narrow safetensors.Dtype, progress model.Progress) (write func(dir string) error, done Exported, err error) {
	if r.Kind == Reward {
		return r.rewardExporter(checkpoint, format, narrow, progress)
	}
	if r.Kind == Finetuned && format == HuggingFace {
		t, err := r.taskModel(checkpoint)
		if err != nil {
			return nil, done, err
		}
		if labels := t.Setup.SequenceLabels(); labels != nil {
			done = Exported{Classifier: true, Input: t.Setup.Input()}
			if t.Setup.NGrams {
				done.LeftOut = "the n-grams that it predicts together with"
			}
			t.unstandardise()
			c := model.Classifier{Labels: labels, Padding: r.Tokenizer.EndOfText()}
			// The texts of a task have a beginning of their own, see Input.
			tok, err := tokenizer.WithBegin(t.Tokenizer, -1)
			if err != nil {
				return nil, done, err
			}
			return func(dir string) error {
				if err := tokenizer.WriteHuggingFace(dir, tok, t.Model.Config.Context); err != nil {
					return err
				}
				return t.Model.WriteHuggingFaceClassifier(dir, c, narrow, t.Tokenizer.EndOfText(), progress)
			}, done, nil
		}
	}
	if r.Kind == Finetuned {
		done.LeftOut = fmt.Sprintf("the head of the task %s and what it learned of labels", r.Config.Finetune.Task)
		if r.Config.Finetune.NGrams {
			done.LeftOut += ", and the n-grams"
		}
	}
	m, _, err := r.Trained(checkpoint)
	if err != nil {
		return nil, done, err
	}
	return func(dir string) error {
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
	}, done, nil
}

// unstandardise lets the head of a regression compute grades, instead of standardised ones.
func (t *TaskModel) unstandardise() {
	if t.Setup.Head != finetune.Regression {
		return
	}
	scale, shift := float32(t.Setup.Deviation), float32(t.Setup.Mean)
	weight, bias := t.Model.Parameter(model.ScoreHead+".weight").Value.Float32s(), t.Model.Parameter(model.ScoreHead+".bias").Value.Float32s()
	for i := range weight {
		weight[i] *= scale
	}
	bias[0] = scale*bias[0] + shift
}

// rewardExporter is exporter for a reward model: it becomes a classifier with one label,
// which transformers' AutoModelForSequenceClassification gives the same scores.
func (r *Run) rewardExporter(checkpoint string, format Format, narrow safetensors.Dtype, progress model.Progress) (write func(dir string) error, done Exported, err error) {
	if format != HuggingFace {
		return nil, done, fmt.Errorf("%s is a reward model, which gives scores and writes nothing: expected the format %s, not %s", r.Dir, HuggingFace, format)
	}
	c, err := r.classifier()
	if err != nil {
		return nil, done, err
	}
	m, err := r.RewardModel(checkpoint)
	if err != nil {
		return nil, done, err
	}
	done = Exported{Classifier: true}
	if _, _, ok := instruct.Surprise(r.Tokenizer); ok {
		done.LeftOut = "the language model that reads answers for it: its scores need levels of surprise as token_type_ids"
	}
	// The chat template writes what a conversation begins with.
	tok, err := tokenizer.WithBegin(r.Tokenizer, -1)
	if err != nil {
		return nil, done, err
	}
	return func(dir string) error {
		if err := tokenizer.WriteHuggingFace(dir, tok, m.Config.Context); err != nil {
			return err
		}
		return m.WriteHuggingFaceClassifier(dir, c, narrow, r.Tokenizer.EndOfText(), progress)
	}, done, nil
}
