package tokenizer_test

import (
	"fmt"
	"log"
	"slices"

	"tinygpt/tokenizer"
)

func Example() {
	corpus := slices.Values([]string{"the cat and the hat", "the cat in the hat"})
	t, err := tokenizer.TrainBPE(corpus, 1000)
	if err != nil {
		log.Fatal(err)
	}
	ids, err := t.Encode("the hat é")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Name(), ids)

	// A character may take several tokens: a stream waits until it is whole.
	s := tokenizer.NewStream(t)
	for _, id := range ids {
		text, err := s.Next(id)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q ", text)
	}
	fmt.Printf("%q\n", s.Flush())
	// Output:
	// bpe-265 [258 263 220 127 102]
	// "the" " hat" " " "" "é" ""
}
