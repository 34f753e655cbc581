package train

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Skip is the value of Config.OnSpike that leaves batches out.
const Skip = "skip"

// The detector of llm.c (llmc/outlier_detector.h): a value is measured against the last
// spikeWindow values, itself among them. It says nothing before it has seen that many. Their
// z-score can't be more than √127 ≈ 11.3.
const (
	spikeWindow = 128
	spikeScore  = 7 // as llm.c's runs of GPT-3's models have it (-sl 7.0 -sg 7.0)
)

// Spikes is what is known of batches that stick out. What it says is a function of the
// values alone, so a resumed run finds the same.
type Spikes struct {
	Losses  []float64 // of the last updates, oldest first, also of those left out
	Norms   []float64 // of their gradients
	Skipped int       // updates left out so far
}

// note takes the loss and the gradient's norm of a batch, and says whether one of them is so
// far above those before it that the batch is to be left out.
func (s *Spikes) note(loss, norm float64) bool {
	s.Losses, s.Norms = latest(s.Losses, loss), latest(s.Norms, norm)
	if len(s.Losses) < spikeWindow || !(score(s.Losses) > spikeScore || score(s.Norms) > spikeScore) {
		return false
	}
	s.Skipped++
	return true
}

// latest appends x to values and drops the oldest if they are too many.
func latest(values []float64, x float64) []float64 {
	if n := len(values); n >= spikeWindow {
		values = values[:copy(values, values[n-spikeWindow+1:])]
	}
	return append(values, x)
}

// score returns by how many standard deviations the last of values is above their mean.
func score(values []float64) float64 {
	n := float64(len(values))
	mean, variance := 0.0, 0.0
	for _, x := range values {
		mean += x / n
	}
	for _, x := range values {
		variance += float64((x-mean)*(x-mean)) / n
	}
	if variance == 0 {
		return 0
	}
	return (values[len(values)-1] - mean) / math.Sqrt(variance)
}

// metadata adds what a checkpoint keeps of s.
func (s *Spikes) metadata(meta map[string]string) {
	if len(s.Losses) == 0 {
		return
	}
	meta["skipped"] = strconv.Itoa(s.Skipped)
	for key, values := range map[string][]float64{"latest_losses": s.Losses, "latest_norms": s.Norms} {
		var words []string
		for _, x := range values {
			words = append(words, strconv.FormatFloat(x, 'g', -1, 64))
		}
		meta[key] = strings.Join(words, " ")
	}
}

// parseSpikes reads what metadata wrote.
func parseSpikes(meta map[string]string) (s Spikes, err error) {
	for key, into := range map[string]*[]float64{"latest_losses": &s.Losses, "latest_norms": &s.Norms} {
		for _, word := range strings.Fields(meta[key]) {
			x, err := strconv.ParseFloat(word, 64)
			if err != nil || !finite(x) {
				return s, fmt.Errorf("metadata %s has %q, finite numbers are expected", key, word)
			}
			*into = append(*into, x)
		}
	}
	if len(s.Losses) > spikeWindow || len(s.Losses) != len(s.Norms) {
		return s, fmt.Errorf("metadata latest_losses and latest_norms have %d and %d numbers, %d of each or fewer are expected", len(s.Losses), len(s.Norms), spikeWindow)
	}
	if text, ok := meta["skipped"]; ok {
		if s.Skipped, err = strconv.Atoi(text); err != nil || s.Skipped < 0 {
			return s, fmt.Errorf("metadata skipped is %q, a whole number of 0 or more is expected", text)
		}
	}
	return s, nil
}
