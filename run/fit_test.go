package run

import (
	"strings"
	"testing"

	"tinygpt/configs"
	"tinygpt/internal/expect"
	"tinygpt/train"
)

// TestFits: what needs far more memory than there is is refused before it is allocated,
// also where the estimate would overflow.
func TestFits(t *testing.T) {
	const total = 16 << 30
	for _, k := range []struct {
		settings string
		refused  bool
	}{
		{"", false},
		{"train.batch_size=100", false},
		{"train.batch_size=1000000000", true},
		{"model.width=1000000", true},
		{"model.layers=10000 model.width=1000000 model.context=16777216 train.batch_size=1000000000", true},
	} {
		c, err := configs.Preset("small.yaml")
		if err != nil {
			t.Fatal(err)
		}
		c.Model.VocabSize = 1024
		for _, s := range strings.Fields(k.settings) {
			if err := c.Set(s); err != nil {
				t.Fatal(err)
			}
		}
		shape := train.Shape{Batch: c.Train.BatchSize, Context: c.Model.Context}
		switch err := fits(c.Model, "train.batch_size", []train.Shape{{Batch: 1, Context: 8}, shape}, total); {
		case (err != nil) != k.refused:
			t.Errorf("%s: %v, expected a refusal: %v", k.settings, err, k.refused)
		case err != nil && !strings.Contains(err.Error(), "train.batch_size"):
			t.Errorf("%s: %v: expected the keys that mend it", k.settings, err)
		}
	}
}

// Stories that no computer has room for are refused before the first is made.
func TestLargeStories(t *testing.T) {
	c, err := configs.Preset("small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Data.StoriesBytes = 1_000_000_000_000_000
	_, err = LoadTexts(c.Data)
	expect.Error(t, err, "data.stories_bytes of 1000000000000000 needs about")
}
