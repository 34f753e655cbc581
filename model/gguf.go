package model

import (
	"fmt"

	"tinygpt/model/gguf"
	"tinygpt/model/kernel"
	"tinygpt/model/safetensors"
)

// ggufNames are llama.cpp's names of a block's parts.
var ggufNames = map[string]string{
	"ln_1": "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output",
	"ln_2": "ffn_norm", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
}

// WriteGGUF writes the model as a file that llama.cpp runs, architecture gpt2. The
// vocabulary is the metadata with the prefix tokenizer. Matrices are float32, or
// rounded to the 16-bit float given as narrow; vectors and positions stay float32,
// as in llama.cpp's own converter. GPT-1's architecture, which llama.cpp hasn't, is
// an error. progress may be nil.
func (m *Model) WriteGGUF(path, name string, vocabulary []gguf.Pair, narrow safetensors.Dtype, progress Progress) error {
	c := m.Config
	if c.Arch != GPT2 {
		return fmt.Errorf("model.arch is %s: llama.cpp runs gpt2 only (LayerNorm before each part, not after)", c.Arch)
	}
	if activations[c.Activation] != kernel.TanhGELU {
		return fmt.Errorf("model.activation is %s: llama.cpp computes the tanh form of GELU (%s) for gpt2", c.Activation, GELUNew)
	}
	matrices := gguf.F32
	// The file types are llama.cpp's LLAMA_FTYPE_ALL_F32, MOSTLY_F16 and MOSTLY_BF16.
	fileType := uint32(0)
	switch narrow {
	case safetensors.F16:
		matrices, fileType = gguf.F16, 1
	case safetensors.BF16:
		matrices, fileType = gguf.BF16, 32
	}
	metadata := append([]gguf.Pair{
		{Key: "general.architecture", Value: "gpt2"},
		{Key: "general.name", Value: name},
		{Key: "general.file_type", Value: fileType},
		{Key: "gpt2.block_count", Value: uint32(c.Layers)},
		{Key: "gpt2.context_length", Value: uint32(c.Context)},
		{Key: "gpt2.embedding_length", Value: uint32(c.Width)},
		{Key: "gpt2.feed_forward_length", Value: uint32(c.Inner())},
		{Key: "gpt2.attention.head_count", Value: uint32(c.Heads)},
		{Key: "gpt2.attention.layer_norm_epsilon", Value: c.epsilon()},
	}, vocabulary...)
	var tensors []gguf.Tensor
	add := func(name, theirs string, typ gguf.Type, transpose bool) {
		p := m.byName[name]
		tensors = append(tensors, gguf.Tensor{Name: theirs, Type: typ, Shape: p.Value.Shape(), Transpose: transpose, Data: p.Value.Float32s()})
	}
	add("wte.weight", "token_embd.weight", matrices, false)
	add("wpe.weight", "position_embd.weight", gguf.F32, false)
	for i := range c.Layers {
		for _, part := range []string{"ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"} {
			theirs := fmt.Sprintf("blk.%d.%s.", i, ggufNames[part])
			typ, matrix := gguf.F32, part != "ln_1" && part != "ln_2"
			if matrix {
				typ = matrices
			}
			add(block(i)+part+".weight", theirs+"weight", typ, matrix)
			add(block(i)+part+".bias", theirs+"bias", gguf.F32, false)
		}
	}
	add("ln_f.weight", "output_norm.weight", gguf.F32, false)
	add("ln_f.bias", "output_norm.bias", gguf.F32, false)
	if c.UntiedHead {
		add(headName, "output.weight", matrices, false)
	}
	return gguf.Write(path, metadata, tensors, progress)
}
