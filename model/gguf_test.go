package model

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model/gguf"
	"tinygpt/model/half"
	"tinygpt/model/safetensors"
)

// ggufTensor is a tensor of a file, with dimensions as the file has them: the innermost first.
type ggufTensor struct {
	dims   []uint64
	typ    uint32
	values []float32
}

// readGGUF reads what this program writes, by the format's specification.
func readGGUF(t *testing.T, path string) (metadata map[string]any, tensors map[string]ggufTensor) {
	t.Helper()
	file := expect.File(t, path)
	at, order := 0, binary.LittleEndian
	u32 := func() uint32 { at += 4; return order.Uint32(file[at-4:]) }
	u64 := func() uint64 { at += 8; return order.Uint64(file[at-8:]) }
	text := func() string { n := int(u64()); at += n; return string(file[at-n : at]) }
	var value func(typ uint32) any
	value = func(typ uint32) any {
		switch typ {
		case 4:
			return u32()
		case 5:
			return int32(u32())
		case 6:
			return math.Float32frombits(u32())
		case 7:
			at++
			return file[at-1] == 1
		case 8:
			return text()
		case 9:
			typ, n := u32(), u64()
			list := []any{}
			for range n {
				list = append(list, value(typ))
			}
			return list
		}
		t.Fatalf("type %d at %d", typ, at)
		return nil
	}
	if magic, version := string(file[:4]), order.Uint32(file[4:]); magic != "GGUF" || version != 3 {
		t.Fatalf("magic %q, version %d", magic, version)
	}
	at = 8
	nTensors, nPairs := u64(), u64()
	metadata, tensors = map[string]any{}, map[string]ggufTensor{}
	for range nPairs {
		key := text()
		metadata[key] = value(u32())
	}
	names, offsets := []string{}, []uint64{}
	for range nTensors {
		name := text()
		dims := make([]uint64, u32())
		for i := range dims {
			dims[i] = u64()
		}
		names, tensors[name] = append(names, name), ggufTensor{dims: dims, typ: u32()}
		offsets = append(offsets, u64())
	}
	data := file[(at+31)/32*32:]
	for i, name := range names {
		tensor := tensors[name]
		n := uint64(1)
		for _, d := range tensor.dims {
			n *= d
		}
		if offsets[i]%32 != 0 {
			t.Errorf("%s begins at %d", name, offsets[i])
		}
		raw := bytes.NewReader(data[offsets[i]:])
		for range n {
			var wide uint32
			var narrow uint16
			switch tensor.typ {
			case 0:
				binary.Read(raw, order, &wide)
				tensor.values = append(tensor.values, math.Float32frombits(wide))
			case 1:
				binary.Read(raw, order, &narrow)
				tensor.values = append(tensor.values, half.FromFloat16(narrow))
			case 30:
				binary.Read(raw, order, &narrow)
				tensor.values = append(tensor.values, half.FromBfloat16(narrow))
			}
		}
		tensors[name] = tensor
	}
	return metadata, tensors
}

// The tensors that llama.cpp loads for gpt2 (src/models/gpt2.cpp), each with its
// dimensions there, hold the model's weights, and there are no others.
func TestWriteGGUF(t *testing.T) {
	for name, c := range map[string]struct {
		narrow   safetensors.Dtype
		typ      uint32
		fileType uint32
		round    func(float32) float32
	}{
		"gpt2":          {"", 0, 0, func(x float32) float32 { return x }},
		"gpt2-float16":  {safetensors.F16, 1, 1, func(x float32) float32 { return half.FromFloat16(half.ToFloat16(x)) }},
		"gpt2-bfloat16": {safetensors.BF16, 30, 32, func(x float32) float32 { return half.FromBfloat16(half.ToBfloat16(x)) }},
	} {
		m, _, err := ReadHuggingFace(os.DirFS("testdata/"+name), nil)
		if err != nil {
			t.Fatal(err)
		}
		path := fixture.NewPath(t, "x.gguf")
		if err := m.WriteGGUF(path, "a name", []gguf.Pair{{Key: "tokenizer.ggml.model", Value: "gpt2"}}, c.narrow, nil); err != nil {
			t.Fatal(err)
		}
		metadata, tensors := readGGUF(t, path)
		for key, want := range map[string]any{
			"general.architecture": "gpt2", "general.name": "a name", "general.file_type": c.fileType,
			"gpt2.block_count": uint32(2), "gpt2.context_length": uint32(16), "gpt2.embedding_length": uint32(8),
			"gpt2.feed_forward_length": uint32(32), "gpt2.attention.head_count": uint32(2),
			"gpt2.attention.layer_norm_epsilon": m.Config.LayerNormEpsilon, "tokenizer.ggml.model": "gpt2",
		} {
			if metadata[key] != want {
				t.Errorf("%s: %s is %v, want %v", name, key, metadata[key], want)
			}
		}
		compare := func(theirs, ours string, transposed bool, dims ...uint64) {
			got, ok := tensors[theirs]
			delete(tensors, theirs)
			typ, round := uint32(0), func(x float32) float32 { return x }
			if len(dims) == 2 && theirs != "position_embd.weight" {
				typ, round = c.typ, c.round
			}
			if !ok || !slices.Equal(got.dims, dims) || got.typ != typ {
				t.Errorf("%s: %s has type %d and dimensions %v, want %d and %v", name, theirs, got.typ, got.dims, typ, dims)
				return
			}
			want := m.Parameter(ours).Value.Float32s()
			for i, v := range got.values {
				at := i
				if transposed { // dims are [in, out], the innermost first; ours is [in][out]
					in, out := int(dims[0]), int(dims[1])
					at = i%in*out + i/in
				}
				if v != round(want[at]) {
					t.Fatalf("%s: %s[%d] is %v, want %v", name, theirs, i, v, want[at])
				}
			}
		}
		v := uint64(m.Config.VocabSize)
		compare("token_embd.weight", "wte.weight", false, 8, v)
		compare("position_embd.weight", "wpe.weight", false, 8, 16)
		compare("output_norm.weight", "ln_f.weight", false, 8)
		compare("output_norm.bias", "ln_f.bias", false, 8)
		if m.Config.UntiedHead {
			compare("output.weight", "lm_head.weight", false, 8, v)
		}
		for i := range 2 {
			theirs, ours := fmt.Sprintf("blk.%d.", i), block(i)
			for _, p := range []struct {
				theirs, ours string
				in, out      uint64
			}{{"attn_qkv", "attn.c_attn", 8, 24}, {"attn_output", "attn.c_proj", 8, 8}, {"ffn_up", "mlp.c_fc", 8, 32}, {"ffn_down", "mlp.c_proj", 32, 8}} {
				compare(theirs+p.theirs+".weight", ours+p.ours+".weight", true, p.in, p.out)
				compare(theirs+p.theirs+".bias", ours+p.ours+".bias", false, p.out)
			}
			for theirName, ourName := range map[string]string{"attn_norm": "ln_1", "ffn_norm": "ln_2"} {
				compare(theirs+theirName+".weight", ours+ourName+".weight", false, 8)
				compare(theirs+theirName+".bias", ours+ourName+".bias", false, 8)
			}
		}
		for left := range tensors {
			t.Errorf("%s: there is a tensor %s", name, left)
		}
	}
	old := tiny(t, GPT1)
	expect.Error(t, old.WriteGGUF(fixture.NewPath(t, "x"), "", nil, "", nil), "model.arch is gpt1: llama.cpp runs gpt2 only")
}
