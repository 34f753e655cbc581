package fewshot

import (
	"slices"
	"testing"

	"tinygpt/tokenizer"
)

// A question has the same tokens in the query as in a shot, and both those that the whole
// prompt has, whatever white space is in the layout.
func TestQueryHasTheTokensOfAShot(t *testing.T) {
	gpt2, err := tokenizer.GPT2()
	if err != nil {
		t.Fatal(err)
	}
	shot := Example{Question: "hot or cold? ", Choices: []string{"warm", "cool"}, Answer: 1}
	query := Example{Question: "天气\n", Choices: []string{"Berlin", "晴"}}
	for _, layout := range []string{
		DefaultLayout, "{question}\n\n{answer}", "Q: {question}\n\nA: {answer}\n\n", "{question}\n\n\n  {answer}", "{question} \n{answer}.\n", "\n\n{question}\t{answer}",
	} {
		l, err := ParseLayout(layout)
		if err != nil {
			t.Fatal(err)
		}
		s := &Scorer{Layout: l, tokens: gpt2}
		for i := range query.Choices {
			trial := Trial{Shots: []Example{shot, query, shot}, Query: query}
			var got []int32
			for k, e := range trial.Shots {
				got = append(got, encoded(t, s, s.opening(e, k), l.solved(e))...)
			}
			got = append(got, encoded(t, s, s.opening(query, 3), l.choice(query, i))...)
			want, err := gpt2.Encode(l.Prompt(trial) + l.choice(query, i))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q: tokens %v, of the whole prompt %v", layout, got, want)
			}
		}
	}
}

func encoded(t *testing.T, s *Scorer, pieces ...string) []int32 {
	t.Helper()
	ids, err := s.encode(pieces...)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}
