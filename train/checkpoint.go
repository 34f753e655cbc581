package train

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tinygpt/model"
	"tinygpt/model/safetensors"
)

// State is what a run needs, besides weights, optimiser and objective, to go on as if it
// had never stopped.
type State struct {
	Step     int     // updates made
	BestStep int     // step of the best evaluation, 0 if there was none
	BestLoss float64 // its Evaluation.Loss
	// BestScore is its Evaluation.Score; 0 if there is no metric.
	BestScore float64
	Elapsed   time.Duration // training time so far
	// Pending says that what is due after the update Step (an evaluation, a sample) was
	// interrupted and is to be done first.
	Pending bool
	// Stages are the updates that the phases after the first one began with, as far as
	// they have begun; see Config.Stages.
	Stages []int
	// Spikes has the recent losses and gradient norms that Config.OnSpike compares with.
	Spikes Spikes
}

// SaveCheckpoint writes the model's weights, the state, and the tensors of kept to one
// safetensors file, which replaces an older one as a whole or not at all. kept is what a
// resumed run needs of optimiser and objective; without it the file holds the weights
// alone.
func SaveCheckpoint(path string, m *model.Model, s State, kept ...safetensors.Tensor) error {
	meta := map[string]string{
		"format":    "pt", // transformers refuses a file without it
		"step":      strconv.Itoa(s.Step),
		"best_step": strconv.Itoa(s.BestStep),
		"best_loss": strconv.FormatFloat(s.BestLoss, 'g', -1, 64),
		"elapsed":   s.Elapsed.String(),
	}
	if s.BestScore != 0 {
		meta["best_score"] = strconv.FormatFloat(s.BestScore, 'g', -1, 64)
	}
	if s.Pending {
		meta["pending"] = "true"
	}
	if len(s.Stages) > 0 {
		meta["stages"] = strings.Trim(fmt.Sprint(s.Stages), "[]")
	}
	s.Spikes.metadata(meta)
	return safetensors.Write(path, append(m.Tensors(), kept...), meta)
}

// LoadCheckpoint reads what SaveCheckpoint wrote, into the memory of m and of the tensors
// of kept. The file's checksum is verified first.
func LoadCheckpoint(path string, m *model.Model, kept ...safetensors.Tensor) (State, error) {
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
	for i, t := range kept {
		if _, ok := f.Info(t.Name); ok {
			continue
		}
		if i == 0 {
			return s, fmt.Errorf("%s: holds weights without the optimiser's state (no tensor %s): resume from a checkpoint named last", path, t.Name)
		}
		return s, fmt.Errorf("%s: no tensor %s in it, which the optimiser keeps: resume with the train.optimiser that the run began with", path, t.Name)
	}
	if err := m.LoadWeights(f, path); err != nil {
		return s, err
	}
	for _, t := range kept {
		if err := readInto(f, t); err != nil {
			return s, err
		}
	}
	return s, nil
}

// ReadState reads the state alone from what SaveCheckpoint wrote.
func ReadState(path string) (State, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return State{}, err
	}
	defer f.Close()
	s, err := parseState(f.Metadata())
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return s, err
}

// readInto reads the tensor named t.Name into the memory of t.
func readInto(f *safetensors.File, t safetensors.Tensor) error {
	switch data := t.Data.(type) {
	case []float32:
		return f.Float32(t.Name, data)
	case []float64:
		return f.Float64(t.Name, data)
	case []int32:
		return f.Int32(t.Name, data)
	case []int64:
		return f.Int64(t.Name, data)
	}
	return fmt.Errorf("tensor %s: data of type %T can't be kept in a checkpoint", t.Name, t.Data)
}

// parseState reads the metadata that SaveCheckpoint wrote.
func parseState(meta map[string]string) (s State, err error) {
	for key, into := range map[string]*int{"step": &s.Step, "best_step": &s.BestStep} {
		if *into, err = strconv.Atoi(meta[key]); err != nil || *into < 0 {
			return s, fmt.Errorf("metadata %s is %q, a whole number of 0 or more is expected: not a checkpoint of a run", key, meta[key])
		}
	}
	if s.BestStep > s.Step {
		return s, fmt.Errorf("metadata best_step is %d, after step %d", s.BestStep, s.Step)
	}
	for key, into := range map[string]*float64{"best_loss": &s.BestLoss, "best_score": &s.BestScore} {
		text, ok := meta[key]
		if !ok && key == "best_score" {
			continue
		}
		if *into, err = strconv.ParseFloat(text, 64); err != nil || !finite(*into) {
			return s, fmt.Errorf("metadata %s is %q, a finite number is expected", key, text)
		}
	}
	if s.Spikes, err = parseSpikes(meta); err != nil {
		return s, err
	}
	s.Pending = meta["pending"] == "true"
	last := 0
	for _, stage := range strings.Fields(meta["stages"]) {
		n, err := strconv.Atoi(stage)
		if err != nil || n < last || n > s.Step {
			return s, fmt.Errorf("metadata stages is %q, growing whole numbers up to the step are expected", meta["stages"])
		}
		s.Stages, last = append(s.Stages, n), n
	}
	if s.Elapsed, err = time.ParseDuration(meta["elapsed"]); err != nil || s.Elapsed < 0 {
		return s, fmt.Errorf("metadata elapsed is %q, a duration is expected", meta["elapsed"])
	}
	return s, nil
}
