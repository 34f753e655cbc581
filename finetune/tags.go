package finetune

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/data/labelled"
	"tinygpt/model"
	"tinygpt/model/op"
)

// tags is the head that gives every word a tag: a softmax over a score for each tag at
// the word's last token, and the mean cross-entropy over words.
type tags struct{ names labelled.Classes }

func (h *tags) outputs() int { return len(h.names) }

func (h *tags) label(it *Item) error {
	list, err := h.names.Indices(it.Example)
	for _, i := range list {
		it.Tags = append(it.Tags, int32(i))
	}
	return err
}

// labels returns the number of words that weren't truncated.
func (h *tags) labels(it *Item) (n int) {
	for _, at := range it.Words {
		if at >= 0 {
			n++
		}
	}
	return n
}

func (h *tags) loss(g *model.Graph, scores *G.Node, _ *Batches) (*G.Node, func([]batchItem)) {
	node, labels := g.Indices("tags", scores.Shape()[0])
	return g.CrossEntropy(scores, node), func(batch []batchItem) {
		for i := range labels {
			labels[i] = op.Ignore
		}
		for _, it := range batch {
			for w, at := range it.Words {
				if at >= 0 {
					labels[it.sequence*g.Context+at] = it.Tags[w]
				}
			}
		}
	}
}

// word returns the scores of a word, or nil if it was truncated.
func (h *tags) word(it *Item, w int, scores []float32) []float32 {
	if at := it.Words[w]; at >= 0 {
		return scores[at*len(h.names):][:len(h.names)]
	}
	return nil
}

// cost returns the mean over the words that weren't truncated.
func (h *tags) cost(it *Item, scores []float32) float64 {
	var sum, words float64
	for w := range it.Words {
		if s := h.word(it, w, scores); s != nil {
			sum += surprise(softmax(s)[it.Tags[w]])
			words++
		}
	}
	return sum / max(words, 1)
}

// predict gives truncated words the first tag, O.
func (h *tags) predict(it *Item, scores []float32) Prediction {
	var p Prediction
	for w := range it.Words {
		tag, probability := 0, 0.0
		if s := h.word(it, w, scores); s != nil {
			all := softmax(s)
			tag = largest(all)
			probability = all[tag]
		}
		p.Tags, p.Confidence = append(p.Tags, tag), append(p.Confidence, probability)
	}
	return p
}

func (h *tags) metrics() []string { return []string{spanF1, "accuracy", "macro_f1"} }

// measure measures the tags of words, and entities if they decide.
func (h *tags) measure(e *Evaluation, judged []Judged) {
	var truth, predicted []int
	for _, j := range judged {
		var is, said []string
		for w, tag := range j.Tags {
			truth, predicted = append(truth, int(tag)), append(predicted, j.Prediction.Tags[w])
			is, said = append(is, h.names[tag]), append(said, h.names[j.Prediction.Tags[w]])
		}
		if e.Metric == spanF1 {
			e.Entities.Add(is, said)
		}
	}
	e.countClasses(h.names, truth, predicted)
	if e.Metric == spanF1 {
		e.Metrics[spanF1] = e.Entities.F1()
	}
}

// spanF1 is the metric of entities.
const spanF1 = "span_f1"
