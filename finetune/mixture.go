package finetune

import (
	"context"
	"path/filepath"
	"slices"

	"tinygpt/data/labelled"
	"tinygpt/finetune/linear"
	"tinygpt/finetune/ngram"
)

// NGramsFile is the name of the file in a run's folder that has its linear model over n-grams, if
// finetune.ngrams asks for one.
const NGramsFile = "ngrams.bin"

// Mixture is a network and a linear model over n-grams that predict together (as in Cheng et
// al. 2016, Wide & Deep Learning): the scores are
//
//	(1 − Share) · the network's + Share · the n-grams'
//
// Scores are logarithms of probabilities, up to a constant that changes nothing, or standardised
// grades. With a Share of 0 they have the same bits as the network's.
type Mixture struct {
	NGrams *linear.Model
	Share  float64
}

// shares are the values of Share that fitMixture tries.
var shares = []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1}

// fitMixture fits n-grams to the training items. It chooses the share with the best metric on
// the development items, the smallest of equally good ones; scores are the network's of these.
func (s *Setup) fitMixture(ctx context.Context, train, dev []*Item, scores [][]float32, progress func(done, total int)) (*Mixture, error) {
	model, err := s.FitNGrams(ctx, examplesOf(train), examplesOf(dev), progress)
	if err != nil {
		return nil, err
	}
	m := &Mixture{NGrams: model}
	highest := s.evaluate(dev, scores).Score()
	for _, share := range shares[1:] {
		at := &Mixture{model, share}
		if score := s.evaluate(dev, at.mix(dev, scores)).Score(); score > highest {
			m, highest = at, score
		}
	}
	return m, nil
}

// examplesOf returns the items' examples.
func examplesOf(items []*Item) (list []labelled.Example) {
	for _, it := range items {
		list = append(list, it.Example)
	}
	return list
}

// mix returns the mixture's scores of the items, given the network's.
func (m *Mixture) mix(items []*Item, scores [][]float32) [][]float32 {
	if m.Share == 0 {
		return scores
	}
	out := make([][]float32, len(scores))
	for i, it := range items {
		out[i] = slices.Clone(scores[i])
		for r, row := range m.NGrams.Scores(it.Example) {
			at := r
			if it.Words != nil {
				at = it.Words[r]
			}
			if at < 0 {
				continue // the network didn't see the word
			}
			for j, v := range row {
				z := &out[i][at*len(row)+j]
				*z = float32((1-m.Share)*float64(*z) + m.Share*v)
			}
		}
	}
	return out
}

// origin says what the setup's n-grams are fitted to.
func (s *Setup) origin() ngram.Origin {
	return ngram.Origin{Task: s.Task, Kind: s.Kind(), Outputs: s.Outputs(), Examples: s.SHA256}
}

// write writes the n-grams into a run's folder.
func (m *Mixture) write(dir string, s *Setup) error {
	return ngram.Write(filepath.Join(dir, NGramsFile), m.NGrams, m.Share, s.origin())
}

// ReadMixture reads the n-grams of the run in the folder dir. A damaged file, and one that was
// fitted to another task or other examples than the setup's, are errors.
func ReadMixture(dir string, s *Setup) (*Mixture, error) {
	model, share, err := ngram.Read(filepath.Join(dir, NGramsFile), s.origin())
	if err != nil {
		return nil, err
	}
	return &Mixture{model, share}, nil
}
