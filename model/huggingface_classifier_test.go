package model

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/model/safetensors"
)

// lastOutputs are the outputs of the head for the last token.
func lastOutputs(t *testing.T, m *Model, tokens []int32) []float32 {
	t.Helper()
	g := m.NewGraph(1, len(tokens), false)
	rows, index := g.Indices("rows", 1)
	index[0] = int32(len(tokens) - 1)
	out := g.Head(g.Rows(g.Hidden, rows, 1))
	return evaluate(t, g, out, tokens)
}

// What transformers computes from the files, a linear map without bias of the last token's
// state, is what the head computes here.
func TestHuggingFaceClassifier(t *testing.T) {
	for _, arch := range []Arch{GPT1, GPT2} {
		for _, labels := range [][]string{{"reward"}, {"no", "yes"}, {"a", "b", "c", "d"}} {
			m := tiny(t, arch)
			m.AddHead(len(labels), 3)
			r := rand.New(rand.NewPCG(1, 2))
			bias := m.Parameter("score.bias").Value.Float32s()
			for i := range bias {
				bias[i] = float32(r.NormFloat64())
			}
			dir := t.TempDir()
			c := Classifier{Labels: labels, Padding: 0}
			if err := m.WriteHuggingFaceClassifier(dir, c, "", 5, nil); err != nil {
				t.Fatal(err)
			}
			back, leftOut, err := ReadHuggingFace(os.DirFS(dir), nil)
			if err != nil || !slices.Equal(leftOut, []string{"score.weight"}) {
				t.Fatal(leftOut, err)
			}
			f, err := safetensors.Open(filepath.Join(dir, weightsFile))
			if err != nil {
				t.Fatal(err)
			}
			d := m.Config.Width
			weight := make([]float32, len(labels)*d)
			if err := f.Float32("score.weight", weight); err != nil {
				t.Fatal(err)
			}
			f.Close()
			back.AddHead(len(labels), 4)
			for i := range d {
				for o := range labels {
					back.Parameter("score.weight").Value.Float32s()[i*len(labels)+o] = weight[o*d+i]
				}
			}
			tokens := randomTokens(6, m.Config.VocabSize, 7)
			closeTo(t, string(arch)+": outputs", lastOutputs(t, back, tokens), lastOutputs(t, m, tokens))

			text := expect.File(t, dir, configFile)
			var settings struct {
				Architectures []string
				ID2Label      map[int]string
				Label2ID      map[string]int
				Padding       *int   `json:"pad_token_id"`
				Problem       string `json:"problem_type"`
			}
			if err := json.Unmarshal(text, &settings); err != nil {
				t.Fatal(err)
			}
			problem := "single_label_classification"
			if len(labels) == 1 {
				problem = "regression"
			}
			last := len(labels) - 1
			if settings.Architectures[0] != classifierTypes[arch] || settings.Problem != problem || settings.Padding == nil || *settings.Padding != 0 ||
				settings.ID2Label[last] != labels[last] || settings.Label2ID[labels[last]] != last {
				t.Errorf("%s: %s", arch, text)
			}
		}
	}
}

func TestHuggingFaceClassifierRefused(t *testing.T) {
	m := tiny(t, GPT2)
	expect.OneLine(t, m.WriteHuggingFaceClassifier(t.TempDir(), Classifier{}, "", -1, nil), `no head "score"`)
	m.AddHead(20, 1) // more outputs than a state has numbers
	labels := make([]string, 20)
	for i := range labels {
		labels[i] = string(rune('a' + i))
	}
	write := func(c Classifier) error { return m.WriteHuggingFaceClassifier(t.TempDir(), c, "", -1, nil) }
	if err := write(Classifier{Labels: labels, Padding: -1}); err != nil {
		t.Errorf("without a bias: %v", err)
	}
	expect.OneLine(t, write(Classifier{Labels: labels[1:]}), "19 labels for a head of 20 outputs")
	expect.OneLine(t, write(Classifier{Labels: append(labels[:19:19], "a")}), "a label occurs twice")
	m.Parameter("score.bias").Value.Float32s()[3] = 1
	expect.OneLine(t, write(Classifier{Labels: labels}), "the bias of the head can't be expressed in transformers")
}
