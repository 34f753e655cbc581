package model

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// ReadMinGPT reads a model of minGPT as JSON: the entry "config", and one entry for each
// tensor of the state_dict with its shape, dtype torch.float32 and the values in base64,
// little-endian. Names are GPT-2's; linear maps are PyTorch's nn.Linear, [out, in]; the head
// is untied.
func ReadMinGPT(text []byte) (*Model, error) {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(text, &entries); err != nil {
		return nil, jsonError(err)
	}
	var h struct {
		Layers  int     `json:"n_layer"`
		Heads   int     `json:"n_head"`
		Width   int     `json:"n_embd"`
		Vocab   int     `json:"vocab_size"`
		Context int     `json:"block_size"`
		Dropout float32 `json:"resid_pdrop"`
	}
	if entries["config"] == nil {
		return nil, fmt.Errorf("no entry \"config\": not a model of minGPT")
	}
	if err := json.Unmarshal(entries["config"], &h); err != nil {
		return nil, fmt.Errorf("config: %w", jsonError(err))
	}
	if h.Layers > len(entries) || max(h.Width, h.Vocab, h.Context) > len(text) {
		return nil, fmt.Errorf("config: %d layers × %d, %d tokens, context %d: more than there are tensors or bytes", h.Layers, h.Width, h.Vocab, h.Context)
	}
	c := Config{
		Arch: GPT2, Layers: h.Layers, Heads: h.Heads, Width: h.Width, Context: h.Context, VocabSize: h.Vocab,
		Dropout: h.Dropout, UntiedHead: true, LayerNormEpsilon: 1e-5,
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("config: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	m := &Model{Config: c, byName: map[string]*Parameter{}}
	for _, s := range c.parameters() {
		name := transformerPrefix + s.name
		if s.name == headName {
			name = headName
		}
		values, err := minGPTTensor(entries[name], s)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		p := s.zero()
		copy(p.Value.Float32s(), values)
		m.add(p)
	}
	return m, nil
}

// minGPTTensor decodes an entry into the layout that the parameter has here.
func minGPTTensor(entry json.RawMessage, s spec) ([]float32, error) {
	var t struct {
		Shape []int  `json:"shape"`
		Dtype string `json:"dtype"`
		Data  []byte `json:"data"` // base64 in JSON
	}
	if entry == nil {
		return nil, fmt.Errorf("missing")
	}
	if err := json.Unmarshal(entry, &t); err != nil {
		if _, ok := err.(base64.CorruptInputError); ok {
			return nil, fmt.Errorf("data: %w", err)
		}
		return nil, jsonError(err)
	}
	linear := len(s.shape) == 2 && strings.HasPrefix(s.name, "h.")
	shape := slices.Clone([]int(s.shape))
	if linear {
		slices.Reverse(shape)
	}
	if !slices.Equal(t.Shape, shape) {
		return nil, fmt.Errorf("shape %v, expected %v", t.Shape, shape)
	}
	if t.Dtype != "torch.float32" || len(t.Data) != 4*s.shape.TotalSize() {
		return nil, fmt.Errorf("%d bytes of %s, expected %d of torch.float32", len(t.Data), t.Dtype, 4*s.shape.TotalSize())
	}
	values := make([]float32, len(t.Data)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
	}
	if !linear {
		return values, nil
	}
	in, out := s.shape[0], s.shape[1]
	transposed := make([]float32, len(values))
	for o := range out {
		for i := range in {
			transposed[i*out+o] = values[o*in+i]
		}
	}
	return transposed, nil
}
