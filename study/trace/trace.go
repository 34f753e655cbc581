// Package trace makes a page that walks a prompt through a model: its tokens, their
// embeddings, the attention of each head, the logit lens, and what may come next under
// temperature and top-k. The numbers are those of one forward pass. The page is one HTML
// file that needs no network.
package trace

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// MaxTokens is the longest prompt that a page is readable and not too large for: the
// attention of all heads grows with its square.
const MaxTokens = 128

// Page holds the data of the page: a prompt of T tokens, and what a model with L layers, rows
// of D columns and V tokens computes for it.
type Page struct {
	Run    string `json:"run"`
	Step   int    `json:"step"`
	Prompt string `json:"prompt"`

	Model  Model   `json:"model"`
	Tokens []Token `json:"tokens"` // [T]

	TokenEmbeddings    floats `json:"token_embeddings"`    // [T, D]
	PositionEmbeddings floats `json:"position_embeddings"` // [T, D]
	// Attention has, for each layer, head and position i in turn, the weights of positions 0
	// to i.
	Attention floats `json:"attention"`
	// Lens has, for each of the L+1 states of the residual stream and each position, what the
	// output head would predict from it (the logit lens).
	Lens   [][]Guess `json:"lens"`
	Logits floats    `json:"logits"` // [V], of the next token
	Likely []int32   `json:"likely"` // the tokens with the largest logits, in descending order
	// Pieces are the texts of the tokens in Lens and Likely.
	Pieces map[int32]string `json:"pieces"`
	// Temperature and TopK are the first positions of the sliders.
	Temperature float64 `json:"temperature"`
	TopK        int     `json:"top_k"`
}

// Model is the shape of the model.
type Model struct {
	Arch       string `json:"arch"`
	Layers     int    `json:"layers"`
	Heads      int    `json:"heads"`
	Width      int    `json:"width"`
	Vocabulary int    `json:"vocabulary"`
	Parameters int64  `json:"parameters"`
}

// Token is a token of the prompt.
type Token struct {
	ID    int32  `json:"id"`
	Text  string `json:"text"`  // as tokenizer.Readable returns it
	Bytes string `json:"bytes"` // hexadecimal; "" for a special token
}

// Guess is what the output head predicts from one vector of the residual stream.
type Guess struct {
	Top     []Share `json:"top"`     // likeliest first
	Entropy float64 `json:"entropy"` // bits
	Norm    float64 `json:"norm"`    // the vector's length
}

// Share is the probability of a token.
type Share struct {
	ID int32   `json:"id"`
	P  float64 `json:"p"`
}

// How many tokens the page lists.
const (
	guesses    = 8  // in Guess.Top
	candidates = 50 // in Page.Likely
)

// New traces a prompt through a model; o has the first positions of the sliders. It fails for
// a prompt of more tokens than MaxTokens or the model's context, and for logits that aren't
// finite. Run and Step of the page are left to the caller.
func New(w *model.Weights, t tokenizer.Tokenizer, prompt string, o sample.Options) (*Page, error) {
	ids, err := sample.Prompt(t, prompt)
	if err != nil {
		return nil, err
	}
	c := w.Config()
	if limit := min(MaxTokens, c.Context); len(ids) > limit {
		return nil, fmt.Errorf("prompt: it has %d tokens: a page shows at most %d of this model; give a shorter prompt", len(ids), limit)
	}
	trace, err := w.Trace(ids)
	if err != nil {
		return nil, err
	}
	if i := kernel.FirstNonFinite(trace.Logits); i >= 0 {
		return nil, fmt.Errorf("the model's logit of token %d is %v: its weights are damaged, or its training diverged", i, trace.Logits[i])
	}
	p := &Page{
		Prompt: prompt,
		Model:  Model{string(c.Arch), c.Layers, c.Heads, c.Width, c.VocabSize, c.ParameterCount()},
		Logits: trace.Logits, Likely: largest(trace.Logits, candidates), Pieces: map[int32]string{},
		Temperature: float64(o.Temperature), TopK: int(o.TopK),
	}
	for i, id := range ids {
		p.Tokens = append(p.Tokens, Token{id, tokenizer.Readable(t, id), fmt.Sprintf("% x", t.Bytes(id))})
		p.TokenEmbeddings = append(p.TokenEmbeddings, trace.TokenEmbedding(i)...)
		p.PositionEmbeddings = append(p.PositionEmbeddings, trace.PositionEmbedding(i)...)
	}
	for _, heads := range trace.Attention {
		for _, weights := range heads {
			for i := range ids {
				p.Attention = append(p.Attention, weights[i*len(ids):][:i+1]...)
			}
		}
	}
	for l := range trace.Streams {
		p.Lens = append(p.Lens, lens(trace, l))
	}
	for _, id := range p.Likely {
		p.Pieces[id] = tokenizer.Readable(t, id)
	}
	for _, row := range p.Lens {
		for _, g := range row {
			for _, s := range g.Top {
				p.Pieces[s.ID] = tokenizer.Readable(t, s.ID)
			}
		}
	}
	return p, nil
}

// lens returns what the output head would predict at each position from the residual stream
// after l layers.
func lens(t *model.Trace, l int) (row []Guess) {
	c := t.Config()
	logits := t.Lens(l)
	probs := make([]float32, c.VocabSize)
	for i := range t.Tokens {
		kernel.Softmax(probs, logits[i*c.VocabSize:][:c.VocabSize], 1, c.VocabSize)
		g := Guess{Norm: math.Sqrt(kernel.SumSquares(t.Streams[l][i*c.Width:][:c.Width]))}
		for _, id := range largest(probs, guesses) {
			g.Top = append(g.Top, Share{id, float64(probs[id])})
		}
		for _, p := range probs {
			if p > 0 {
				g.Entropy -= float64(p) * math.Log2(float64(p))
			}
		}
		row = append(row, g)
	}
	return row
}

// largest returns the indices of the n largest elements of x in descending order; of equal
// ones that with the lower index comes first.
func largest(x []float32, n int) []int32 {
	order := make([]int32, len(x))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(x[b], x[a]) })
	return order[:min(n, len(order))]
}

// floats are written to JSON as the base64 of their little-endian bytes, which takes a third
// of the size of digits and is exact.
type floats []float32

// MarshalJSON returns a string in JSON.
func (f floats) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 4*len(f))
	for _, x := range f {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(b))
}
