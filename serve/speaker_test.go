package serve

import (
	"testing"
	"time"

	"tinygpt/chat"
	"tinygpt/model"
	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// speaker is a model that always says the same, whatever it reads.
type speaker struct {
	text  []int32
	said  []int // by sequence; -1: the prompt isn't read yet
	pause time.Duration
	row   []float32
}

func speaking(t testing.TB, name, text string, pause time.Duration) *Model {
	t.Helper()
	tok := tokenizer.NewByte()
	ids, err := tok.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	return &Model{
		Name: name, Config: model.Config{Context: 1 << 20, VocabSize: 257}, Tokenizer: tok, Template: chat.Plain{Tokenizer: tok},
		Decoder: func(n int) sample.Decoder {
			return &speaker{append(ids, tok.EndOfText()), make([]int, n), pause, make([]float32, 257)}
		},
	}
}

func (s *speaker) Sequences() int          { return len(s.said) }
func (s *speaker) Config() model.Config    { return model.Config{Context: 1 << 20, VocabSize: 257} }
func (s *speaker) Length(int) int          { return 0 }
func (s *speaker) Common(int, []int32) int { return 0 }
func (s *speaker) Copy(to, from int)       { s.said[to] = s.said[from] }
func (s *speaker) CopyPrefix(to, _, _ int) { s.said[to] = -1 }
func (s *speaker) Append(inputs []model.Input) error {
	time.Sleep(s.pause)
	for _, in := range inputs {
		s.said[in.Sequence]++
	}
	return nil
}
func (s *speaker) Logits(sequence int) []float32 {
	clear(s.row)
	s.row[s.text[min(max(0, s.said[sequence]), len(s.text)-1)]] = 50
	return s.row
}
