// Package tokentable starts a language model's token table with word vectors whose words
// are the tokens of the model's tokenizer.
package tokentable

import (
	"fmt"
	"math"

	"tinygpt/embedding"
	"tinygpt/tokenizer"
)

// Fill sets the rows of a table [t.VocabSize(), v.Dim] whose tokens have a vector, and returns
// how many it sets. The vectors are scaled so that their root mean square is that of the table;
// rows without a vector keep their numbers. A table of another size is an error, and so are
// vectors that have none of the tokens: they were trained with another tokenizer.
func Fill(table []float32, t tokenizer.Tokenizer, v *embedding.Vectors) (filled int, err error) {
	if want := t.VocabSize() * v.Dim; len(table) != want {
		return 0, fmt.Errorf("the token table has %d numbers: expected %d for %d tokens and vectors of %d numbers", len(table), want, t.VocabSize(), v.Dim)
	}
	index := v.Index()
	rows := make([]int, t.VocabSize()) // of v, or −1
	var squares float64
	for id := range rows {
		text, err := t.Decode([]int32{int32(id)})
		if err != nil {
			return 0, err
		}
		rows[id] = -1
		if row, ok := index[text]; ok && text != "" {
			rows[id] = row
			filled++
			squares += sumSquares(v.Row(row))
		}
	}
	if filled == 0 {
		return 0, fmt.Errorf("none of the %d tokens of %s has a vector among the %d words: train the vectors with --tokenizer", t.VocabSize(), t.Name(), len(v.Words))
	}
	scale := math.Sqrt(sumSquares(table) / float64(len(table)) / (squares / float64(filled*v.Dim)))
	for id, row := range rows {
		if row < 0 {
			continue
		}
		for j, x := range v.Row(row) {
			table[id*v.Dim+j] = float32(scale * float64(x))
		}
	}
	return filled, nil
}

func sumSquares(x []float32) (sum float64) {
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}
