package training

import (
	"context"
	"runtime"
	"strconv"
	"testing"

	"tinygpt/embedding/corpus"
	"tinygpt/internal/number"
)

// Training word2vec's models takes two tables of vectors, less than 4 bytes a token, and little
// else: 2.2·V·d·4 bytes, 4 bytes a token, and 3 MB for what grows with neither are enough.
func TestMemory(t *testing.T) {
	const words, lines, perLine, dim, rest = 10_000, 20_000, 50, 100, 3_000_000
	live := func() int {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	for _, model := range []string{SkipGram, CBOW} {
		before := live()
		c := config(model)
		c.Data.MinCount, c.Vectors.Dim, c.Vectors.Epochs, c.Vectors.Evaluations = 1, dim, 1, 2
		split, err := corpus.NewSplitter("spaces")
		if err != nil {
			t.Fatal(err)
		}
		b, r := corpus.NewBuilder(split), corpus.NewRandom(1)
		var line []byte
		for range lines {
			line = line[:0]
			for range perLine {
				line = strconv.AppendInt(append(line, " w"...), int64(r.Below(1+r.Below(words))), 10)
			}
			if err := b.Add(line); err != nil {
				t.Fatal(err)
			}
		}
		text, err := b.Text(1, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSession(c, text)
		if err != nil {
			t.Fatal(err)
		}
		most := 0
		s.Progress = func(p Progress) {
			if p.ValLoss != 0 {
				most = max(most, live()-before)
			}
		}
		if err := s.Run(context.Background(), t.TempDir()); err != nil {
			t.Fatal(err)
		}
		bound := 22*len(text.Vocabulary.Words)*dim*4/10 + 4*text.Tokens.Len() + rest
		t.Logf("%s: %s, the bound is %s", model, number.Mebibytes(int64(most)), number.Mebibytes(int64(bound)))
		if most == 0 || most > bound {
			t.Errorf("%s: %d bytes are live in training, want %d at most", model, most, bound)
		}
		if got, most := len(s.Finish().Matrix)*4, live()-before; most > 2*got+1<<20 {
			t.Errorf("%s: %d bytes are live after training, want about the %d of the vectors", model, most, got)
		}
	}
}
