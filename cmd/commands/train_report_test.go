package commands

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"tinygpt/internal/expect"
	"tinygpt/train"
)

// The time left follows the work that is left, not the number of steps, and leaves the
// first step of the process out, which takes longer.
func TestTimeLeft(t *testing.T) {
	var out bytes.Buffer
	r := newTrainReport(&out)
	now := time.Unix(0, 0)
	r.now = func() time.Time { return now }
	// A resumed run: 40 % of the work is done before. Each step is 1 % and takes 11 s; the
	// first takes a minute.
	for step := range 4 {
		now = now.Add(11 * time.Second)
		if step == 0 {
			now = now.Add(time.Minute)
		}
		r.Step(train.Metrics{Step: 900 + step, Loss: 1}, train.Progress{Steps: 1000, Done: 0.41 + 0.01*float64(step)})
	}
	var left []string
	for _, m := range regexp.MustCompile(`step (\d+)/1000 .* tok/s(  \S+ left)?\n`).FindAllStringSubmatch(out.String(), -1) {
		left = append(left, m[1]+m[2])
	}
	want := []string{"900", "901  10m38s left", "902  10m27s left", "903  10m16s left"}
	if len(left) != len(want) {
		t.Fatalf("%q", out.String())
	}
	for i := range want {
		if left[i] != want[i] {
			t.Errorf("%q, want %q", left[i], want[i])
		}
	}
	out.Reset()
	now = now.Add(time.Second)
	r.Step(train.Metrics{Step: 1000, Loss: 1}, train.Progress{Steps: 1000, Done: 1})
	if line := out.String(); !strings.Contains(line, "step 1000/1000") || strings.Contains(line, "left") {
		t.Errorf("the last step is %q", line)
	}
}

// An evaluation on a shorter context than the model's says so; one of pairs of answers has no
// bits per byte.
func TestShortEvaluation(t *testing.T) {
	var out bytes.Buffer
	r := newTrainReport(&out)
	r.Evaluated(train.Metrics{Step: 400, ValLoss: 1.5, BitsPerByte: 0.6, Context: 128}, true)
	r.Evaluated(train.Metrics{Step: 800, ValLoss: 1, BitsPerByte: 0.4}, false)
	r.Evaluated(train.Metrics{Step: 7, ValLoss: 0.5}, false)
	want := "step 400: validation loss 1.5000, 0.6000 bits per byte, context 128 so far  (best)\n" +
		"step 800: validation loss 1.0000, 0.4000 bits per byte\n" +
		"step 7: validation loss 0.5000\n"
	if out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// A proposed prompt is whole words of one line.
func TestBeginning(t *testing.T) {
	expect.Texts(t, map[string]string{
		"Once upon a time there was":             "Once upon a",
		"\nROMEO:\nBut soft":                     "ROMEO:",
		"An extraordinarily long-winded opening": "An extraordinarily",
		"很久很久以前有一个很小很小的村子里面住着一个很小很小的孩子": "很久很久以前有一",
		"小猫 吃鱼": "小猫 吃鱼",
		"":      "",
	}, beginning)
}

func TestLeftOut(t *testing.T) {
	for n, want := range map[int]string{0: "", 1234: "left out:   1,234 of the batches, whose loss or gradient stuck out (train.on_spike)\n"} {
		var b bytes.Buffer
		writeLeftOut(&b, train.State{Spikes: train.Spikes{Skipped: n}})
		if b.String() != want {
			t.Errorf("%d: %q", n, b.String())
		}
	}
}
