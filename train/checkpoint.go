package train

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tinygpt/model"
	"tinygpt/model/safetensors"
)

// State is what a run needs, beside weights and optimiser, to go on as if it had
// never stopped. Batches and dropout are functions of seed and step.
type State struct {
	Step     int     // updates made
	BestStep int     // step of the best evaluation, 0 if there was none
	BestLoss float64 // its Evaluation.Loss
	// BestScore is its Evaluation.Score; 0 if there is no metric.
	BestScore float64
	Elapsed   time.Duration // training time so far
}

// Moments are stored under the parameter's name with these prefixes, in the same
// file as the weights: a checkpoint is replaced as a whole or not at all.
const (
	meanPrefix   = "adamw.mean."
	squarePrefix = "adamw.square."
)

// SaveCheckpoint writes weights, optimiser and state to one safetensors file,
// atomically. A nil optimiser leaves the file with the weights alone.
func SaveCheckpoint(path string, m *model.Model, a *AdamW, s State) error {
	tensors := m.Tensors()
	if a != nil {
		for _, p := range m.Parameters {
			o := a.of(p)
			shape := []int(p.Value.Shape())
			tensors = append(tensors,
				safetensors.Tensor{Name: meanPrefix + p.Name, Shape: shape, Data: o.mean},
				safetensors.Tensor{Name: squarePrefix + p.Name, Shape: shape, Data: o.square})
		}
	}
	meta := map[string]string{
		"format":    "pt", // row-major, as transformers expects to be told
		"step":      strconv.Itoa(s.Step),
		"best_step": strconv.Itoa(s.BestStep),
		"best_loss": strconv.FormatFloat(s.BestLoss, 'g', -1, 64),
		"elapsed":   s.Elapsed.String(),
	}
	if s.BestScore != 0 {
		meta["best_score"] = strconv.FormatFloat(s.BestScore, 'g', -1, 64)
	}
	return safetensors.Write(path, tensors, meta)
}

// LoadCheckpoint reads what SaveCheckpoint wrote into the memory of m and, if it
// isn't nil, a. The file's checksum is verified first.
func LoadCheckpoint(path string, m *model.Model, a *AdamW) (State, error) {
	var s State
	f, err := safetensors.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	if err := f.Verify(); err != nil {
		return s, err
	}
	if s, err = parseState(f.Metadata()); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	if a != nil && !hasOptimiser(f) {
		return s, fmt.Errorf("%s: holds weights without the optimiser's state: resume from a checkpoint named last", path)
	}
	if err := m.LoadWeights(f, path); err != nil {
		return s, err
	}
	if a == nil {
		return s, nil
	}
	a.Steps = s.Step
	for _, p := range m.Parameters {
		o := a.of(p)
		if err := f.Float32(meanPrefix+p.Name, o.mean); err != nil {
			return s, err
		}
		if err := f.Float32(squarePrefix+p.Name, o.square); err != nil {
			return s, err
		}
	}
	return s, nil
}

func hasOptimiser(f *safetensors.File) bool {
	for _, n := range f.Names() {
		if strings.HasPrefix(n, meanPrefix) {
			return true
		}
	}
	return false
}

func parseState(meta map[string]string) (s State, err error) {
	for key, into := range map[string]*int{"step": &s.Step, "best_step": &s.BestStep} {
		if *into, err = strconv.Atoi(meta[key]); err != nil {
			return s, fmt.Errorf("metadata %s is %q, a whole number is expected: not a checkpoint of a run", key, meta[key])
		}
	}
	if s.BestLoss, err = strconv.ParseFloat(meta["best_loss"], 64); err != nil {
		return s, fmt.Errorf("metadata best_loss is %q, a number is expected", meta["best_loss"])
	}
	if score, ok := meta["best_score"]; ok {
		if s.BestScore, err = strconv.ParseFloat(score, 64); err != nil {
			return s, fmt.Errorf("metadata best_score is %q, a number is expected", score)
		}
	}
	if s.Elapsed, err = time.ParseDuration(meta["elapsed"]); err != nil {
		return s, fmt.Errorf("metadata elapsed is %q, a duration is expected", meta["elapsed"])
	}
	return s, nil
}
