package ngram

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"tinygpt/data/labelled"
	"tinygpt/finetune/linear"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
)

// A file of a model over n-grams begins with a line of JSON, the header, which says what it was
// fitted to. Then come for each n-gram, in the order of their bytes, its length, its bytes, and
// how many rows of the training examples have it, both numbers as varints; the weights, 4 bytes
// each, little-endian; and the SHA-256 of everything before it.

// header is the first line of the file.
type header struct {
	Format string `json:"format"`
	Origin
	Rows   int     `json:"rows"`
	NGrams int     `json:"ngrams"`
	C      float64 `json:"c"`
	Share  float64 `json:"share"`
}

const format = "tinygpt n-grams 1"

// Origin says what a model was fitted to. Read refuses a model of another origin.
type Origin struct {
	// Task is the task's name, Kind what its examples consist of, and Outputs the number of
	// scores of a row.
	Task    string        `json:"task"`
	Kind    labelled.Kind `json:"-"`
	Outputs int           `json:"outputs"`
	// Examples is the SHA-256 of the task's examples.
	Examples string `json:"examples_sha256"`
}

// Write writes a model, whose features must be a *Vocabulary, and its share in a mixture with
// another model.
func Write(path string, m *linear.Model, share float64, from Origin) error {
	v, ok := m.Features.(*Vocabulary)
	if !ok {
		return errors.New("ngram: the model's features aren't n-grams")
	}
	b, err := json.Marshal(header{format, from, v.rows, len(v.grams), m.C, share})
	if err != nil {
		return err
	}
	b = append(b, '\n')
	for i, g := range v.grams {
		b = append(binary.AppendUvarint(b, uint64(len(g))), g...)
		b = binary.AppendUvarint(b, uint64(v.counts[i]))
	}
	b = slices.Grow(b, 4*len(m.Weights)+sha256.Size)
	for _, w := range m.Weights {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(w))
	}
	sum := sha256.Sum256(b)
	return atomicfile.WriteFile(path, append(b, sum[:]...))
}

// Read reads a model that Write wrote, with its share. A damaged file and one of another origin
// are errors that begin with path.
func Read(path string, from Origin) (m *linear.Model, share float64, err error) {
	b, err := userfile.ReadRegular(path)
	if err != nil {
		return nil, 0, err
	}
	if len(b) < sha256.Size {
		return nil, 0, fmt.Errorf("%s: the file is cut off after %d bytes: restore it, or fine-tune again", path, len(b))
	}
	content, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if got := sha256.Sum256(content); !bytes.Equal(got[:], sum) {
		return nil, 0, fmt.Errorf("%s: the file is damaged (its checksum is wrong): restore it, or fine-tune again", path)
	}
	if m, share, err = parse(content, from); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	return m, share, nil
}

// parse reads the bytes before the checksum.
func parse(b []byte, from Origin) (*linear.Model, float64, error) {
	line, b, _ := bytes.Cut(b, []byte("\n"))
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, 0, fmt.Errorf("not a file of n-grams: %w", err)
	}
	switch h.Kind = from.Kind; {
	case h.Format != format:
		return nil, 0, fmt.Errorf("its format is %q, expected %q", h.Format, format)
	case h.Origin != from:
		return nil, 0, errors.New("the n-grams were fitted to another task or other examples than the run's: restore the file, or fine-tune again")
	case !(h.Share >= 0 && h.Share <= 1):
		return nil, 0, fmt.Errorf("their share is %v, expected 0 to 1", h.Share)
	case h.Outputs < 1 || h.Rows < 0 || h.NGrams < 0 || h.NGrams > len(b):
		return nil, 0, fmt.Errorf("the header says %d n-grams with %d scores each: they don't fit into the %d bytes after it", h.NGrams, h.Outputs, len(b))
	}
	v := &Vocabulary{kind: from.Kind, rows: h.Rows}
	for i := range h.NGrams {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, 0, fmt.Errorf("n-gram %d of %d is cut off", i, h.NGrams)
		}
		gram := string(b[n : n+int(size)])
		if b = b[n+int(size):]; i > 0 && gram <= v.grams[i-1] {
			return nil, 0, fmt.Errorf("n-gram %d of %d is out of order", i, h.NGrams)
		}
		count, n := binary.Uvarint(b)
		if n <= 0 || count < 1 || count > uint64(h.Rows) {
			return nil, 0, fmt.Errorf("n-gram %d of %d has no count from 1 to %d", i, h.NGrams, h.Rows)
		}
		b = b[n:]
		v.grams, v.counts = append(v.grams, gram), append(v.counts, int(count))
	}
	if len(b)%4 != 0 || len(b)/4%h.Outputs != 0 || len(b)/4/h.Outputs != h.NGrams+1 {
		return nil, 0, fmt.Errorf("there are %d bytes of weights: expected %d for %d n-grams and a bias with %d scores each", len(b), 4*(h.NGrams+1)*h.Outputs, h.NGrams, h.Outputs)
	}
	m := &linear.Model{Features: v, Outputs: h.Outputs, Weights: make([]float32, len(b)/4), C: h.C}
	for i := range m.Weights {
		w := math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		if f := float64(w); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, 0, fmt.Errorf("weight %d is %v: expected a finite number", i, w)
		}
		m.Weights[i] = w
	}
	v.index()
	return m, h.Share, nil
}
