package run

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"tinygpt/model"
)

// startSum returns the checksum of a model's weights, "" of none.
func startSum(m *model.Model) string {
	if m == nil {
		return ""
	}
	sum := sha256.New()
	m.WriteValues(sum) // a hash takes all
	return hex.EncodeToString(sum.Sum(nil))
}

// CheckStart compares the weights that the run is to begin with, another run's, with those that
// it has noted. It notes them if it hasn't yet: then set says so, and the run must be saved. A
// run that has a checkpoint of its own needs no others, which may have changed.
func (r *Run) CheckStart(m *model.Model) (set bool, err error) {
	if m == nil || hasCheckpoint(r.Dir) {
		return false, nil
	}
	now := startSum(m)
	switch r.Found.StartSHA256 {
	case now:
		return false, nil
	case "":
		r.Found.StartSHA256 = now
		return true, nil
	}
	return false, fmt.Errorf("%s was stopped before its first checkpoint, and the weights that it began with have changed (sha256 %.12s…, now %.12s…): restore that run, or start a new one", r.Dir, r.Found.StartSHA256, now)
}
