package word2vec

import (
	"os"
	"testing"
	"time"
	"syscall"
	"fmt"

	"tinygpt/embedding/corpus"
	"tinygpt/data"
	"tinygpt/model/kernel"
)
func cpu() float64 {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

func TestSpeed(t *testing.T) {
	f := os.Getenv("W2V")
	if f == "" { t.Skip() }
	sp, _ := corpus.NewSplitter("words")
	b := corpus.NewBuilder(sp)
	n := 0
	t0 := time.Now()
	data.EachLine([]string{f}, func(l []byte) error { b.Add(l); n += len(l); if n > 24e6 { return fmt.Errorf("enough") }; return nil })
	text, err := b.Text(5, 0, false)
	if err != nil { t.Fatal(err) }
	fmt.Println("load", time.Since(t0), len(text.Tokens), len(text.Vocabulary.Words))
	for _, th := range []int{1, 2} {
	kernel.SetThreads(th)
	tr := NewTrainer(text.Vocabulary, text.Tokens, Options{Dim: 100, Window: 5, Negatives: 5, NoisePower: .75, Sample: 1e-3, Epochs: 1, LearningRate: .025, MinLearningRate: 2.5e-6, Seed: 1})
	fmt.Println("block", tr.BlockSize(), tr.Loss(text.Tokens[:100000]))
	c0 := cpu()
	t0 = time.Now()
	for i := range tr.Chunks() { tr.Train(i) }
	c := cpu() - c0
	fmt.Println(th, "words/cpu-s", float64(tr.Words())/c, "wall", float64(tr.Words())/time.Since(t0).Seconds(), tr.Loss(text.Tokens[:100000]), tr.Cut, tr.Model.Table.Data[77])
	}
}
