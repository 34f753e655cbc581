package model

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strconv"

	"tinygpt/internal/atomicfile"
	"tinygpt/model/safetensors"
)

// Classifier is what transformers asks about a model with a head for whole sequences.
type Classifier struct {
	// Labels are the names of the outputs that the head (see AddHead) has for the last token's
	// hidden state. A single one means regression, as of a reward.
	Labels []string
	// Padding is the id of a token that fills up batches and never ends a sequence: by it
	// transformers finds the last token. Less than 0: sequences come one at a time.
	Padding int32
}

// classifierTypes are transformers' classes by architecture.
var classifierTypes = map[Arch]string{GPT2: "GPT2ForSequenceClassification", GPT1: "OpenAIGPTForSequenceClassification"}

// WriteHuggingFaceClassifier is WriteHuggingFace for a model with a head, which transformers'
// AutoModelForSequenceClassification reads. There the head is score.weight [outputs, D] without
// a bias: the bias goes into that of the last LayerNorm, which nothing else reads in such a
// model. The language model's output head is left out.
func (m *Model) WriteHuggingFaceClassifier(dir string, c Classifier, narrow safetensors.Dtype, endOfText int32, progress Progress) error {
	weight, bias := m.byName[ScoreHead+".weight"], m.byName[ScoreHead+".bias"]
	if weight == nil || bias == nil {
		return fmt.Errorf("the model has no head %q", ScoreHead)
	}
	w, b := weight.Value.Float32s(), bias.Value.Float32s()
	d, outputs := m.Config.Width, len(b)
	if len(c.Labels) != outputs {
		return fmt.Errorf("%d labels for a head of %d outputs", len(c.Labels), outputs)
	}
	shift, err := shiftOfStates(w, b, d)
	if err != nil {
		return err
	}
	config, err := m.Config.classifierConfig(c, endOfText, torchDtype[narrow])
	if err != nil {
		return err
	}
	last := "ln_f.bias"
	if m.Config.Arch == GPT1 {
		last = block(m.Config.Layers-1) + "ln_2.bias"
	}
	var tensors []safetensors.Tensor
	for _, p := range m.Parameters {
		if p == weight || p == bias || p.Name == headName {
			continue
		}
		t := safetensors.Tensor{Name: transformerPrefix + p.Name, Shape: p.Value.Shape(), Data: p.Value.Float32s(), Narrow: narrow}
		if p.Name == last {
			shifted := make([]float32, d)
			for i, v := range p.Value.Float32s() {
				shifted[i] = float32(float64(v) + shift[i])
			}
			t.Data = shifted
		}
		tensors = append(tensors, t)
	}
	transposed := make([]float32, len(w))
	for i := range d {
		for o := range outputs {
			transposed[o*d+i] = w[i*outputs+o]
		}
	}
	tensors = append(tensors, safetensors.Tensor{Name: ScoreHead + ".weight", Shape: []int{outputs, d}, Data: transposed, Narrow: narrow})
	if err := safetensors.WriteProgress(filepath.Join(dir, weightsFile), tensors, map[string]string{"format": "pt"}, progress); err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(dir, configFile), config)
}

// classifierConfig is the config.json of a classifier.
func (c Config) classifierConfig(head Classifier, endOfText int32, dtype string) ([]byte, error) {
	c.UntiedHead = false
	var settings map[string]any
	if err := json.Unmarshal(c.HuggingFace(endOfText, dtype), &settings); err != nil {
		return nil, err
	}
	names, ids := map[string]string{}, map[string]int{}
	for i, label := range head.Labels {
		names[strconv.Itoa(i)], ids[label] = label, i
	}
	if len(ids) < len(head.Labels) {
		return nil, fmt.Errorf("a label occurs twice among %q", head.Labels)
	}
	settings["architectures"] = []string{classifierTypes[c.Arch]}
	settings["id2label"], settings["label2id"] = names, ids
	settings["problem_type"] = "single_label_classification"
	if len(head.Labels) == 1 {
		settings["problem_type"] = "regression"
	}
	if head.Padding >= 0 {
		settings["pad_token_id"] = head.Padding
	}
	text, err := json.MarshalIndent(settings, "", "  ")
	return append(text, '\n'), err
}

// shiftOfStates returns the shortest vector [d] that, added to every state, adds b to the
// outputs of the linear map w[d,len(b)]: w·(wᵀ·w)⁻¹·b.
func shiftOfStates(w, b []float32, d int) ([]float64, error) {
	n := len(b)
	shift, norm := make([]float64, d), 0.0
	for _, v := range b {
		norm = max(norm, math.Abs(float64(v)))
	}
	if norm == 0 {
		return shift, nil
	}
	// Rows of the equations wᵀ·w·x = b, solved by elimination with pivots.
	rows := make([][]float64, n)
	for o := range rows {
		rows[o] = make([]float64, n+1)
		for p := range n {
			for i := range d {
				rows[o][p] += float64(w[i*n+o]) * float64(w[i*n+p])
			}
		}
		rows[o][n] = float64(b[o])
	}
	for k := range rows {
		for r := k + 1; r < n; r++ {
			if math.Abs(rows[r][k]) > math.Abs(rows[k][k]) {
				rows[k], rows[r] = rows[r], rows[k]
			}
		}
		for r := k + 1; r < n; r++ {
			f := rows[r][k] / rows[k][k]
			for c := k; c <= n; c++ {
				rows[r][c] -= f * rows[k][c]
			}
		}
	}
	x := make([]float64, n)
	for k := n - 1; k >= 0; k-- {
		x[k] = rows[k][n]
		for c := k + 1; c < n; c++ {
			x[k] -= rows[k][c] * x[c]
		}
		x[k] /= rows[k][k]
	}
	for i := range shift {
		for o := range n {
			shift[i] += float64(w[i*n+o]) * x[o]
		}
	}
	for o := range n {
		added := 0.0
		for i := range d {
			added += shift[i] * float64(w[i*n+o])
		}
		if !(math.Abs(added-float64(b[o])) <= 1e-6*norm) {
			return nil, fmt.Errorf("the bias of the head can't be expressed in transformers, whose head has none: %d outputs of states of width %d depend on each other", n, d)
		}
	}
	return shift, nil
}
