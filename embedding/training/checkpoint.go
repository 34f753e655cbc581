package training

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"time"

	"tinygpt/internal/atomicfile"
	"tinygpt/model/kernel"
	"tinygpt/model/safetensors"
)

// CheckpointFile is the name of the checkpoint in a run's folder.
const CheckpointFile = "last.safetensors"

// save draws the loss curve and then writes the checkpoint, so that the other files of a run
// are never older than its checkpoint.
func (s *Session) save(dir string, log *atomicfile.Lines, all []Metrics) error {
	meta := map[string]string{
		"step": strconv.Itoa(s.step), "instructions": kernel.InstructionSet(), "elapsed": s.elapsed.String(), "text": s.text,
	}
	err := errors.Join(log.Sync(), drawLoss(filepath.Join(dir, LossCurveFile), s.Config.Vectors.Model, all))
	if failed := safetensors.Write(filepath.Join(dir, CheckpointFile), s.learner.State(), meta); failed != nil {
		return failed // most often for the same reason
	}
	return err
}

// Resume restores the checkpoint in dir, so that Run goes on from it. Without one, since the
// run was stopped before its first, Run starts from the beginning. A damaged checkpoint and a
// text that isn't the run's are errors.
func (s *Session) Resume(dir string) error {
	path := filepath.Join(dir, CheckpointFile)
	f, err := safetensors.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Verify(); err != nil {
		return err
	}
	meta := f.Metadata()
	s.Instructions = meta["instructions"]
	if text := meta["text"]; text != s.text {
		return fmt.Errorf("%s: the text is not the one that the run began with (sha256 %.12s…, now %.12s…): restore it, or start a new run", dir, text, s.text)
	}
	step, err := strconv.Atoi(meta["step"])
	if err != nil || step < 0 || step > s.learner.Steps() {
		return fmt.Errorf("%s: metadata step is %q: expected a number from 0 to %d", path, meta["step"], s.learner.Steps())
	}
	elapsed, err := time.ParseDuration(meta["elapsed"])
	if err != nil || elapsed < 0 {
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
