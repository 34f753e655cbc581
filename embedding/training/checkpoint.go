package training

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"tinygpt/model/safetensors"
)

// CheckpointFile is the name of the checkpoint in a run's folder.
const CheckpointFile = "last.safetensors"

// save writes the checkpoint and draws the loss curve.
func (s *Session) save(dir string, log *metricsLog) error {
	meta := map[string]string{
		"step": strconv.Itoa(s.step), "elapsed": s.elapsed.String(), "text": s.text,
	}
	return errors.Join(
		safetensors.Write(filepath.Join(dir, CheckpointFile), s.learner.State(), meta),
		drawLoss(filepath.Join(dir, LossCurveFile), s.Config.Vectors.Model, log.all))
}

// Resume goes on from the checkpoint in dir.
func (s *Session) Resume(dir string) error {
	path := filepath.Join(dir, CheckpointFile)
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Verify(); err != nil {
		return err
	}
	meta := f.Metadata()
	if text := meta["text"]; text != s.text {
		return fmt.Errorf("%s: the text is not the one that the run began with (sha256 %.12s…, now %.12s…): restore it, or start a new run", dir, text, s.text)
	}
	step, err := strconv.Atoi(meta["step"])
	if err != nil || step < 0 || step > s.learner.Steps() {
		return fmt.Errorf("%s: metadata step is %q: expected a number from 0 to %d", path, meta["step"], s.learner.Steps())
	}
	elapsed, err := time.ParseDuration(meta["elapsed"])
	if err != nil {
		return fmt.Errorf("%s: metadata elapsed is %q: expected a duration", path, meta["elapsed"])
	}
	for _, t := range s.learner.State() {
		switch data := t.Data.(type) {
		case []float32:
			err = f.Float32(t.Name, data)
		case []int64:
			err = f.Int64(t.Name, data)
		}
		if err != nil {
			return err
		}
	}
	s.step, s.elapsed = step, elapsed
	return nil
}
