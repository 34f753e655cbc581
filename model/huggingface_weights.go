package model

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tinygpt/internal/atomicfile"
	"tinygpt/model/pytorch"
	"tinygpt/model/safetensors"
)

// The files of a model in Hugging Face's layout.
const (
	configFile  = "config.json"
	weightsFile = "model.safetensors"
	indexFile   = "model.safetensors.index.json" // of weights in several files
	pickledFile = "pytorch_model.bin"            // the older form; also with .index.json
)

// transformerPrefix precedes the names of tensors in a model with a head; a bare model has no
// prefix.
const transformerPrefix = "transformer."

// buffers are tensors that older versions of transformers stored besides the weights: the
// causal mask, and the number that stands for −∞ in it.
var buffers = regexp.MustCompile(`^h\.\d+\.attn\.(bias|masked_bias)$`)

// torchDtype are PyTorch's names of the types that weights are written in.
var torchDtype = map[safetensors.Dtype]string{"": "float32", safetensors.F16: "float16", safetensors.BF16: "bfloat16"}

// Progress is called again and again with how many of total values are done. If it returns an
// error, the work ends with that error.
type Progress func(done, total int64) error

// ReadHuggingFace reads a folder in transformers' layout: config.json, and the weights, floats
// of any width, in model.safetensors or pytorch_model.bin (see package pytorch), or in the
// files that the .index.json of either lists. They go tensor by tensor into the model's memory.
//
// If the configuration ties the output head to the token embedding but the files have a head
// that differs from it, that head is kept, as transformers does. If they have one of the two
// only, under either name, it is both. Biases that the files don't have, as of models trained
// without, are 0. A scale of attention's scores other than 1/√d_head is multiplied into the
// weights of the queries. Tensors of other heads have no place in the model; leftOut has their
// names. progress may be nil.
func ReadHuggingFace(dir fs.FS, progress Progress) (m *Model, leftOut []string, err error) {
	text, err := fs.ReadFile(dir, configFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("no %s in it: expected a folder as transformers' save_pretrained makes one", configFile)
	}
	if err != nil {
		return nil, nil, err
	}
	c, scale, err := parseHuggingFace(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", configFile, err)
	}
	weights, err := openHuggingFace(dir)
	if err != nil {
		return nil, nil, err
	}
	defer weights.Close()
	stored, leftOut, err := storedNames(c, weights)
	if err != nil {
		return nil, nil, err
	}
	if _, ok := stored[headName]; c.UntiedHead && !ok {
		return nil, nil, fmt.Errorf("no tensor %q in the weights, though tie_word_embeddings in %s is false", headName, configFile)
	}
	if m, err = NewZero(c); err != nil {
		return nil, nil, err
	}
	total, done := c.ParameterCount(), int64(0)
	for _, p := range m.Parameters {
		v := p.Value.Float32s()
		if name, ok := stored[p.Name]; ok { // else it is a bias of 0
			if err := weights.Float32(name, v); err != nil {
				return nil, nil, err
			}
			if scale != nil {
				scale.multiplyQueries(p.Name, v, c.Width)
			}
		}
		done += int64(len(v))
		if progress != nil {
			if err := progress(done, total); err != nil {
				return nil, nil, err
			}
		}
	}
	if name, ok := stored[headName]; ok && !c.UntiedHead {
		err = m.untie(weights, name)
	}
	return m, leftOut, err
}

// multiplyQueries scales the columns of queries if the parameter makes queries, keys and values:
// v [D, 3·D] or [3·D]. What the scores are multiplied by may as well be in one of their factors.
func (s scoreScale) multiplyQueries(parameter string, v []float32, d int) {
	layer, ok := LayerOf(parameter)
	if !ok || !strings.Contains(parameter, ".attn.c_attn.") {
		return
	}
	by := s(layer)
	for row := range len(v) / (3 * d) {
		for i, x := range v[row*3*d:][:d] {
			v[row*3*d+i] = float32(float64(x) * by)
		}
	}
}

// untie gives m the head that the files have under name, unless it equals the embedding.
func (m *Model) untie(weights *safetensors.Set, name string) error {
	equal, err := weights.Float32Equal(name, m.head().Value.Float32s())
	if err != nil || equal {
		return err
	}
	head := spec{name: headName, shape: m.head().Value.Shape().Clone()}.zero()
	m.add(head)
	m.Config.UntiedHead = true
	return weights.Float32(name, head.Value.Float32s())
}

// openHuggingFace opens the weights of a folder.
func openHuggingFace(dir fs.FS) (*safetensors.Set, error) {
	pickled := safetensors.Format{Ending: ".bin", Open: pytorch.Open}
	for _, f := range []struct {
		name   string
		format safetensors.Format
	}{{weightsFile, safetensors.Safetensors}, {indexFile, safetensors.Safetensors}, {pickledFile, pickled}, {pickledFile + ".index.json", pickled}} {
		s, err := safetensors.OpenSet(dir, f.name, f.format)
		if !errors.Is(err, fs.ErrNotExist) {
			return s, err
		}
	}
	return nil, fmt.Errorf("no %s, no %s and no %s in it", weightsFile, indexFile, pickledFile)
}

// storedNames finds out by which name the files have each parameter of the
// configuration and checks its shape, so that nothing is allocated that the files
// don't have. An output head counts as one even where it is tied. What else the
// files hold is returned as left out, but for buffers.
func storedNames(c Config, weights *safetensors.Set) (stored map[string]string, leftOut []string, err error) {
	all := weights.Names()
	if c.Layers > len(all) {
		return nil, nil, fmt.Errorf("n_layer in %s is %d, the weights have %d tensors: they are of another model", configFile, c.Layers, len(all))
	}
	tied := !c.UntiedHead
	c.UntiedHead = true
	shapes := map[string][]int{}
	for _, s := range c.parameters() {
		shapes[s.name] = s.shape
	}
	stored = map[string]string{}
	for _, name := range all {
		short := strings.TrimPrefix(name, transformerPrefix)
		shape, known := shapes[short]
		switch info, _ := weights.Info(name); {
		case stored[short] != "":
			return nil, nil, fmt.Errorf("tensors %q and %q are the same parameter: expected one of them", stored[short], name)
		case known && !slices.Equal(info.Shape, shape):
			return nil, nil, fmt.Errorf("tensor %q has shape %v, the model of %s asks for %v", name, info.Shape, configFile, shape)
		case known:
			stored[short] = name
		case buffers.MatchString(short):
		case strings.HasPrefix(short, "h."):
			return nil, nil, fmt.Errorf("tensor %q has no place in the model of %s with %d layers: the two are of different models", name, configFile, c.Layers)
		default:
			leftOut = append(leftOut, name)
		}
	}
	// safetensors' save_model stores a shared tensor once, under one of its names.
	tokens := namesOf(c.Arch).tokens
	if head, ok := stored[headName]; ok && tied && stored[tokens] == "" {
		stored[tokens] = head
		delete(stored, headName)
	}
	biases := biasKinds(stored)
	for _, s := range c.parameters() {
		if stored[s.name] != "" || s.name == headName {
			continue
		}
		if kind, bias := biasKind(s.name); !bias || biases[kind] {
			return nil, nil, fmt.Errorf("no tensor %q in the weights, which the model of %s has", s.name, configFile)
		}
	}
	return stored, leftOut, nil
}

// biasKind says whether a parameter is a bias, and what kind of: the part of its name after the
// layer, since a model has a kind of bias in all layers or in none.
func biasKind(parameter string) (kind string, bias bool) {
	kind, bias = strings.CutSuffix(parameter, ".bias")
	if _, ok := LayerOf(parameter); ok {
		kind = strings.SplitN(kind, ".", 3)[2]
	}
	return kind, bias
}

// biasKinds are the kinds of biases among the parameters.
func biasKinds(parameters map[string]string) map[string]bool {
	kinds := map[string]bool{}
	for name := range parameters {
		if kind, bias := biasKind(name); bias {
			kinds[kind] = true
		}
	}
	return kinds
}

// WriteHuggingFace writes config.json and model.safetensors into the folder, which
// exists, for transformers to read. Weights are float32, or rounded to the 16-bit
// float given as narrow. endOfText is as in Config.HuggingFace. progress may be nil.
func (m *Model) WriteHuggingFace(dir string, narrow safetensors.Dtype, endOfText int32, progress Progress) error {
	if m.Config.Arch == GPT1 && m.Config.Activation == GELU {
		return fmt.Errorf("model.activation is %s: transformers' openai-gpt computes the tanh form of GELU only (%s)", GELU, GELUNew)
	}
	if m.Config.Arch == GPT1 && m.Config.Inner() != 4*m.Config.Width {
		return fmt.Errorf("model.inner_width is %d: transformers' openai-gpt has 4·width = %d only", m.Config.InnerWidth, 4*m.Config.Width)
	}
	tensors := m.Tensors()
	for i := range tensors {
		if tensors[i].Name != headName {
			tensors[i].Name = transformerPrefix + tensors[i].Name
		}
		tensors[i].Narrow = narrow
	}
	// transformers asks for the name of the framework.
	if err := safetensors.WriteProgress(filepath.Join(dir, weightsFile), tensors, map[string]string{"format": "pt"}, progress); err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(dir, configFile), m.Config.HuggingFace(endOfText, torchDtype[narrow]))
}
