package finetune

import (
	"strings"
	"testing"

	"tinygpt/internal/fixture"
)

// Labels that differ in capitals only are noted, and a test set that was trained on; a few
// rows that both sets have aren't.
func TestNotices(t *testing.T) {
	var train, test strings.Builder
	for i := range 30 {
		train.WriteString(strings.Repeat("very ", i) + "good\tpos\n" + strings.Repeat("very ", i) + "bad\tneg\n")
		test.WriteString("rather " + strings.Repeat("very ", i) + "good\tpos\n")
	}
	for _, c := range []struct{ train, test, want string }{
		{train.String(), test.String(), ""},
		{train.String(), test.String() + "good\tpos\n", ""},
		{train.String(), train.String(), "60 test examples are training examples too"},
		{train.String() + "fine\tPOS\n", test.String(), "the labels POS and pos differ in capitals only"},
	} {
		config := Default()
		config.Task = "classification"
		config.Train, config.Test = fixture.NewPath(t, "train.tsv"), fixture.NewPath(t, "test.tsv")
		fixture.Write(t, config.Train, c.train)
		fixture.Write(t, config.Test, c.test)
		x, _, err := Load(config, nil)
		if err != nil {
			t.Fatal(err)
		}
		notes := strings.Join(x.Notes[2:], "\n")
		if (notes == "") != (c.want == "") || !strings.Contains(notes, c.want) {
			t.Errorf("%q, want %q", notes, c.want)
		}
	}
}
