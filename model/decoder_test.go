package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/model/kernel"
)

// next returns the graph's logits of the token that follows tokens, or the last Context of them.
func next(t *testing.T, m *Model, tokens []int32) []float32 {
	t.Helper()
	want := logits(t, m, tokens[max(0, len(tokens)-m.Config.Context):], 1)
	return want[len(want)-m.Config.VocabSize:]
}

func appendTo(t *testing.T, d *Decoder, inputs ...Input) {
	t.Helper()
	if err := d.Append(inputs); err != nil {
		t.Fatal(err)
	}
}

// A sequence read in pieces of any length, also beyond the context, gives the last row of the
// graph's logits for the window.
func TestDecoderEqualsGraph(t *testing.T) {
	for _, arch := range []Arch{GPT1, GPT2} {
		m := tiny(t, arch)
		tokens := randomTokens(2*m.Config.Context+3, m.Config.VocabSize, 3)
		for _, pieces := range [][]int{{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {5, 1, 1, 1, 1, 1, 1}, {2, 3, 4, 1, 1}, {9, 1, 1}, {21}, {4, 17}, {8, 2, 9, 1}} {
			d, read := m.NewDecoder(1), 0
			for _, n := range pieces {
				appendTo(t, d, Input{Tokens: tokens[read : read+n]})
				read += n
				closeTo(t, fmt.Sprintf("%s, pieces %v, after %d", arch, pieces, read), d.Logits(0), next(t, m, tokens[:read]))
			}
		}
	}
}

// Sequences of different lengths, read together in random pieces, copied and emptied, each give
// what the graph gives for their tokens.
func TestDecoderBatch(t *testing.T) {
	for _, arch := range []Arch{GPT1, GPT2} {
		m := tiny(t, arch)
		r := rand.New(rand.NewPCG(4, 0))
		const n = 5
		d := m.NewDecoder(n)
		var texts [n][]int32
		for step := range 60 {
			switch i, j := r.IntN(n), r.IntN(n); r.IntN(6) {
			case 0:
				d.Reset(i)
				texts[i] = nil
			case 1:
				d.Copy(i, j)
				texts[i] = slices.Clone(texts[j])
			}
			var inputs []Input
			for _, i := range r.Perm(n)[:1+r.IntN(n)] {
				tokens := randomTokens(1+r.IntN(3)*r.IntN(5), m.Config.VocabSize, r.Uint64())
				texts[i] = append(texts[i], tokens...)
				inputs = append(inputs, Input{Sequence: i, Tokens: tokens})
			}
			appendTo(t, d, inputs...)
			for i, text := range texts {
				if len(text) > 0 {
					closeTo(t, fmt.Sprintf("%s, step %d, sequence %d of %d tokens", arch, step, i, len(text)), d.Logits(i), next(t, m, text))
				}
			}
		}
	}
}

// More rows than a pass takes: passes end within sequences.
func TestDecoderPasses(t *testing.T) {
	m, err := New(Config{Arch: GPT2, Layers: 2, Heads: 2, Width: 16, Context: 700, VocabSize: 30, InitStd: 0.3}, 1)
	if err != nil {
		t.Fatal(err)
	}
	d := m.NewDecoder(3)
	var inputs []Input
	for i, n := range []int{600, 650, 900} {
		inputs = append(inputs, Input{Sequence: i, Tokens: randomTokens(n, 30, uint64(i))})
	}
	inputs[1].LogProbs = make([]float32, 640)
	appendTo(t, d, inputs...)
	for i, in := range inputs {
		closeTo(t, fmt.Sprint("sequence ", i), d.Logits(i), next(t, m, in.Tokens))
	}
	closeTo(t, "log-probabilities", inputs[1].LogProbs, logProbs(t, m, inputs[1].Tokens)[9:])
}

// logProbs returns the graph's log-probabilities of all tokens but the first, each given those
// before it.
func logProbs(t *testing.T, m *Model, tokens []int32) []float32 {
	t.Helper()
	v := m.Config.VocabSize
	all := logits(t, m, tokens[:len(tokens)-1], 1)
	var out []float32
	for i, token := range tokens[1:] {
		row, sum := all[i*v:(i+1)*v], 0.0
		for _, x := range row {
			sum += math.Exp(float64(x))
		}
		out = append(out, float32(float64(row[token])-math.Log(sum)))
	}
	return out
}

// Several endings of one beginning are scored together, wherever the first scored token is among
// the tokens read.
func TestDecoderLogProbs(t *testing.T) {
	for _, arch := range []Arch{GPT1, GPT2} {
		m := tiny(t, arch)
		tokens := randomTokens(m.Config.Context, m.Config.VocabSize, 5)
		want := logProbs(t, m, tokens)
		for read := range len(tokens) {
			d := m.NewDecoder(4)
			if read > 0 {
				appendTo(t, d, Input{Sequence: 3, Tokens: tokens[:read]})
			}
			var inputs []Input
			for i := range 3 {
				d.Copy(i, 3)
				rest := tokens[read : len(tokens)-i*(len(tokens)-read-1)/2]
				scored := len(rest) - i
				if read == 0 {
					scored--
				}
				inputs = append(inputs, Input{Sequence: i, Tokens: rest, LogProbs: make([]float32, max(scored, 0))})
			}
			appendTo(t, d, inputs...)
			for i, in := range inputs {
				end := read + len(in.Tokens)
				what := fmt.Sprintf("%s, %d tokens after %d, %d scored", arch, len(in.Tokens), read, len(in.LogProbs))
				closeTo(t, what, in.LogProbs, want[end-len(in.LogProbs)-1:end-1])
				closeTo(t, what+": logits", d.Logits(i), next(t, m, tokens[:end]))
				if end < len(tokens) {
					closeTo(t, what+": next", []float32{d.LogProb(i, tokens[end])}, want[end-1:end])
				}
			}
		}
	}
}

// A sequence's logits and log-probabilities have the same bits whatever else is read with it, in
// whatever pieces its tokens come, in whatever place of the decoder, whatever was in that place
// before, and with any number of threads. This includes sequences beyond the context.
func TestDecoderSameBits(t *testing.T) {
	defer kernel.SetThreads(0)
	for _, arch := range []Arch{GPT1, GPT2} {
		// A vocabulary and a context that make products of more rows than a block of them.
		m, err := New(Config{Arch: arch, Layers: 2, Heads: 3, Width: 24, Context: 150, VocabSize: 301, InitStd: 0.3}, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, precision := range Precisions {
			w, err := m.Weights(precision)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(6, 0))
			const n = 9
			var texts [n][]int32    // what sequence i reads: some go past the context
			var logits [n][]float32 // alone, in one piece
			var probs [n][]float32  // of the tokens but the first, within the context
			for i := range n {
				texts[i] = randomTokens(1+r.IntN(170), 301, uint64(i))
				if i == 0 {
					texts[i] = randomTokens(171, 301, 0)
				}
				d := w.NewDecoder(1)
				in := Input{Tokens: texts[i]}
				if len(texts[i]) <= 150 {
					in.LogProbs = make([]float32, len(texts[i])-1)
				}
				appendTo(t, d, in)
				logits[i], probs[i] = d.Logits(0), in.LogProbs
			}
			d := w.NewDecoder(4)
			var reads, read [4]int // which text a place has, and how much of it
			place := func(p int) {
				d.Reset(p)
				reads[p], read[p] = r.IntN(n), 0
			}
			for p := range reads {
				place(p)
			}
			for step := range 120 {
				kernel.SetThreads(1 + r.IntN(3))
				if from, to := r.IntN(4), r.IntN(4); r.IntN(8) == 0 {
					d.Copy(to, from)
					reads[to], read[to] = reads[from], read[from]
				}
				var inputs []Input
				for _, p := range r.Perm(4)[:1+r.IntN(4)] {
					text := texts[reads[p]]
					left := len(text) - read[p]
					piece := text[read[p]:][:min(left, 1+r.IntN(3)*r.IntN(3)*r.IntN(40))]
					in := Input{Sequence: p, Tokens: piece}
					if len(text) <= 150 {
						in.LogProbs = make([]float32, len(piece)-max(0, 1-read[p]))
					}
					inputs = append(inputs, in)
				}
				appendTo(t, d, inputs...)
				for _, in := range inputs {
					p := in.Sequence
					i := reads[p]
					read[p] += len(in.Tokens)
					what := fmt.Sprintf("%s, %s, step %d, sequence %d, token %d of %d", arch, precision, step, p, read[p], len(texts[i]))
					if probs[i] != nil && !slices.Equal(in.LogProbs, probs[i][read[p]-1-len(in.LogProbs):read[p]-1]) {
						t.Fatalf("%s: other log-probabilities", what)
					}
					if read[p] == len(texts[i]) {
						if !slices.Equal(d.Logits(p), logits[i]) {
							t.Fatalf("%s: other logits", what)
						}
						place(p)
					}
				}
			}
		}
	}
}

// Wrong input is refused and changes nothing.
func TestDecoderErrors(t *testing.T) {
	m := tiny(t, GPT2)
	d := m.NewDecoder(2)
	appendTo(t, d, Input{Tokens: []int32{1, 2, 3}})
	before := slices.Clone(d.Logits(0))
	for want, inputs := range map[string][]Input{
		"sequence 2 of a decoder of 2":                 {{Sequence: 2, Tokens: []int32{1}}},
		"sequence -1":                                  {{Sequence: -1, Tokens: []int32{1}}},
		"sequence 0 twice":                             {{Tokens: []int32{1}}, {Tokens: []int32{1}}},
		"no tokens to append to sequence 1":            {{Tokens: []int32{1}}, {Sequence: 1}},
		"token 11 is outside the vocabulary of 11":     {{Tokens: []int32{1}}, {Sequence: 1, Tokens: []int32{0, 11}}},
		"token -1 is outside":                          {{Tokens: []int32{-1}}},
		"2 log-probabilities of 1 tokens":              {{Tokens: []int32{1}, LogProbs: make([]float32, 2)}},
		"no log-probability of the first token":        {{Sequence: 1, Tokens: []int32{1}, LogProbs: make([]float32, 1)}},
		"in a sequence of 10 tokens, the context is 9": {{Tokens: make([]int32, 7), LogProbs: make([]float32, 1)}},
	} {
		expect.Error(t, d.Append(inputs), want)
	}
	if !slices.Equal(before, d.Logits(0)) {
		t.Error("an error changed the logits")
	}
	// A prefix has no logits of its own, so nothing to take the first probability from.
	d.CopyPrefix(1, 0, 2)
	prefix := []Input{{Sequence: 1, Tokens: []int32{3, 4}, LogProbs: make([]float32, 2)}}
	expect.Error(t, d.Append(prefix), "after CopyPrefix to sequence 1")
	prefix[0].LogProbs = prefix[0].LogProbs[:1]
	appendTo(t, d, prefix...)
	closeTo(t, "after a prefix", prefix[0].LogProbs, logProbs(t, m, []int32{1, 2, 3, 4})[2:])
	appendTo(t, d, Input{Tokens: []int32{4}})
	closeTo(t, "after the errors", d.Logits(0), next(t, m, []int32{1, 2, 3, 4}))
}

func TestDecoderAllocatesNothing(t *testing.T) {
	m, err := New(Config{Arch: GPT2, Layers: 2, Heads: 2, Width: 16, Context: 1000, VocabSize: 30}, 1)
	if err != nil {
		t.Fatal(err)
	}
	d := m.NewDecoder(3)
	inputs := make([]Input, 3)
	for i := range inputs {
		inputs[i] = Input{Sequence: i, Tokens: []int32{int32(i)}}
	}
	step := func() { appendTo(t, d, inputs...) }
	step()
	if got := testing.AllocsPerRun(100, step); got > 0 {
		t.Errorf("%v allocations a step", got)
	}
}

// DecoderBytes predicts how much memory a decoder allocates.
func TestDecoderBytes(t *testing.T) {
	c := Config{Arch: GPT2, Layers: 3, Heads: 2, Width: 64, Context: 512, VocabSize: 3000}
	m, err := New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	const n = 3
	tokens := randomTokens(300, c.VocabSize, 1)
	read := func() {
		d := m.NewDecoder(n)
		var inputs []Input
		for i := range n {
			inputs = append(inputs, Input{Sequence: i, Tokens: tokens, LogProbs: make([]float32, len(tokens)-1)})
		}
		appendTo(t, d, inputs...)
	}
	read() // the kernels' own memory
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	read()
	runtime.ReadMemStats(&after)
	if got, want := after.TotalAlloc-before.TotalAlloc, uint64(c.DecoderBytes(n, n*len(tokens))); float64(got) < 0.98*float64(want) || float64(got) > 1.1*float64(want) {
		t.Errorf("a decoder allocates %d bytes, DecoderBytes says %d", got, want)
	}
}
