package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tinygpt/internal/expect"
)

// plain is a model in float64, computed as the papers' equations are written.
type plain struct {
	*Model
	streams   [][][]float64   // [L+1][T][D]
	attention [][][][]float64 // [L][H][T][T]
}

func (m *plain) at(name string, i int) float64 { return float64(m.weights(name)[i]) }

func (m *plain) norm(x []float64, name string) (y []float64) {
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	for i, v := range x {
		y = append(y, (v-mean)/math.Sqrt(variance+1e-5)*m.at(name+".weight", i)+m.at(name+".bias", i))
	}
	return y
}

func (m *plain) linear(x []float64, name string) []float64 {
	out := m.Parameter(name + ".bias").Value.Shape().TotalSize()
	y := make([]float64, out)
	for j := range y {
		y[j] = m.at(name+".bias", j)
		for i, v := range x {
			y[j] += v * m.at(name+".weight", i*out+j)
		}
	}
	return y
}

// attend is multi-head attention of all rows, and its weights.
func (m *plain) attend(x [][]float64, name string) (out [][]float64) {
	d, heads := m.Config.Width, make([][][]float64, m.Config.Heads)
	var qkv [][]float64
	for _, row := range x {
		qkv = append(qkv, m.linear(row, name+"c_attn"))
	}
	size := d / m.Config.Heads
	for i := range x {
		mixed := make([]float64, d)
		for h := range heads {
			weights, sum := make([]float64, len(x)), 0.0
			for j := range i + 1 {
				for f := h * size; f < (h+1)*size; f++ {
					weights[j] += qkv[i][f] * qkv[j][d+f]
				}
				weights[j] = math.Exp(weights[j] / math.Sqrt(float64(size)))
				sum += weights[j]
			}
			for j := range i + 1 {
				weights[j] /= sum
				for f := h * size; f < (h+1)*size; f++ {
					mixed[f] += weights[j] * qkv[j][2*d+f]
				}
			}
			heads[h] = append(heads[h], weights)
		}
		out = append(out, m.linear(mixed, name+"c_proj"))
	}
	m.attention = append(m.attention, heads)
	return out
}

func (m *plain) feedForward(x []float64, name string) []float64 {
	hidden := m.linear(x, name+"c_fc")
	for i, v := range hidden {
		hidden[i] = 0.5 * v * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
	}
	return m.linear(hidden, name+"c_proj")
}

func plus(x, y []float64) []float64 {
	sum := slices.Clone(x)
	for i := range y {
		sum[i] += y[i]
	}
	return sum
}

// run computes all streams and attentions.
func (m *plain) run(tokens []int32) {
	names, d := namesOf(m.Config.Arch), m.Config.Width
	var x [][]float64
	for i, token := range tokens {
		row := make([]float64, d)
		for f := range row {
			row[f] = m.at(names.tokens, int(token)*d+f) + m.at(names.positions, i*d+f)
		}
		x = append(x, row)
	}
	m.streams = append(m.streams, slices.Clone(x))
	for l := range m.Config.Layers {
		name := block(l)
		if m.Config.Arch == GPT2 {
			var h [][]float64
			for _, row := range x {
				h = append(h, m.norm(row, name+"ln_1"))
			}
			a := m.attend(h, name+"attn.")
			for i := range x {
				x[i] = plus(x[i], a[i])
				x[i] = plus(x[i], m.feedForward(m.norm(x[i], name+"ln_2"), name+"mlp."))
			}
		} else {
			a := m.attend(x, name+"attn.")
			for i := range x {
				x[i] = m.norm(plus(x[i], a[i]), name+"ln_1")
				x[i] = m.norm(plus(x[i], m.feedForward(x[i], name+"mlp.")), name+"ln_2")
			}
		}
		m.streams = append(m.streams, slices.Clone(x))
	}
}

// lens is the output head on a row.
func (m *plain) lens(x []float64) (logits []float32) {
	if m.Config.Arch == GPT2 {
		x = m.norm(x, "ln_f")
	}
	table := m.head().Value.Float32s()
	for v := range m.Config.VocabSize {
		sum := 0.0
		for f, u := range x {
			sum += u * float64(table[v*len(x)+f])
		}
		logits = append(logits, float32(sum))
	}
	return logits
}

// Everything that a trace keeps is what the equations say.
func TestTrace(t *testing.T) {
	for _, arch := range []Arch{GPT1, GPT2} {
		for _, untied := range []bool{false, true} {
			m, err := New(Config{Arch: arch, Layers: 3, Heads: 3, Width: 15, Context: 12, VocabSize: 11, UntiedHead: untied}, 1)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(7, 0))
			for _, p := range m.Parameters { // biases and gains too
				for i := range p.Value.Float32s() {
					p.Value.Float32s()[i] += float32(0.3 * r.NormFloat64())
				}
			}
			w, err := m.Weights(Float32)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{1, 3, 12} {
				tokens := randomTokens(n, 11, uint64(n))
				trace, err := w.Trace(tokens)
				if err != nil {
					t.Fatal(err)
				}
				what := fmt.Sprintf("%s, untied %v, %d tokens: ", arch, untied, n)
				want := &plain{Model: m}
				want.run(tokens)
				if len(trace.Streams) != 4 || len(trace.Attention) != 3 {
					t.Fatalf("%s%d streams, %d layers of attention", what, len(trace.Streams), len(trace.Attention))
				}
				for l, stream := range want.streams {
					for i, row := range stream {
						closeTo(t, fmt.Sprintf("%sstream %d, row %d", what, l, i), trace.Streams[l][i*15:(i+1)*15], narrow(row))
						closeTo(t, fmt.Sprintf("%slens %d, row %d", what, l, i), trace.Lens(l)[i*11:(i+1)*11], want.lens(row))
					}
				}
				for l, heads := range want.attention {
					for h, rows := range heads {
						for i, row := range rows {
							got, sum := trace.Attention[l][h][i*n:(i+1)*n], 0.0
							closeTo(t, fmt.Sprintf("%sattention %d.%d, row %d", what, l, h, i), got, narrow(row))
							for _, p := range got {
								sum += float64(p)
							}
							if math.Abs(sum-1) > 1e-6 || slices.ContainsFunc(got[i+1:], func(p float32) bool { return p != 0 }) {
								t.Errorf("%sattention %d.%d, row %d: %v, sum %v", what, l, h, i, got, sum)
							}
						}
					}
				}
				d := m.NewDecoder(1)
				appendTo(t, d, Input{Tokens: tokens})
				if !slices.Equal(trace.Logits, d.Logits(0)) {
					t.Errorf("%sthe trace has other logits than the decoder", what)
				}
				closeTo(t, what+"the last lens", trace.Lens(3)[(n-1)*11:], trace.Logits)
				for f := range 15 {
					if sum := trace.TokenEmbedding(n - 1)[f] + trace.PositionEmbedding(n - 1)[f]; sum != trace.Streams[0][(n-1)*15+f] {
						t.Fatalf("%sthe embeddings' sum is %v at %d", what, sum, f)
					}
				}
			}
			_, err = w.Trace(make([]int32, 13))
			expect.Error(t, err, "trace of 13 tokens: expected at most 12")
			if _, err := w.Trace(nil); err == nil {
				t.Error("a trace of nothing")
			}
		}
	}
}

func narrow(x []float64) (y []float32) {
	for _, v := range x {
		y = append(y, float32(v))
	}
	return y
}
