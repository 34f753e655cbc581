package run

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tinygpt/finetune"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/train"
)

// course is a run of steps whose loss is 2 and jumps by 1 up and down, evaluated every
// 50 steps.
func course(steps int) (all []train.Metrics) {
	for s := 1; s <= steps; s++ {
		all = append(all, train.Metrics{Step: s, Loss: 2 + float64(s%2*2-1), LearningRate: float64(s), GradNorm: 1, TokensPerSec: 5, Elapsed: 1})
		if s%50 == 0 {
			all = append(all, train.Metrics{Step: s, ValLoss: 3 - math.Abs(float64(s-150))/-1000, Floor: 1.5, Elapsed: 1})
		}
	}
	return all
}

func TestSmooth(t *testing.T) {
	all := course(430)
	before := slices.Clone(all)
	c := Curve{Points: Smooth(all, 100)}
	if !reflect.DeepEqual(all, before) {
		t.Fatal("the metrics have changed")
	}
	var steps, evaluations int
	for i, m := range c.Points {
		if m.Elapsed != 0 || m.TokensPerSec != 0 {
			t.Fatalf("a time is left: %+v", m)
		}
		if m.ValLoss != 0 {
			evaluations++
			continue
		}
		steps++
		if m.LearningRate != float64(m.Step) || math.Abs(m.GradNorm-1) > 1e-12 {
			t.Errorf("step %d: %+v", m.Step, m)
		}
		// The mean of many jumps of 1 is off by the weight of one jump at most.
		if i > 20 && math.Abs(m.Loss-2) > 1.0/smoothing+1e-9 {
			t.Errorf("step %d: mean %v", m.Step, m.Loss)
		}
	}
	if steps < 50 || steps > 100 || evaluations != 8 {
		t.Errorf("%d steps and %d evaluations", steps, evaluations)
	}
	if first := (Curve{Points: Smooth(all, 430)}).Points[0]; math.Abs(first.Loss-3) > 1e-12 {
		t.Errorf("the mean begins at %v, the first loss is 3", first.Loss)
	}
	if last, ok := c.Last(); !ok || last.Step != 430 {
		t.Errorf("the last step is %+v", last)
	}
	if best, ok := c.Best(); !ok || best.Step != 150 || best.ValLoss != 3 {
		t.Errorf("the best evaluation is %+v", best)
	}
	if _, ok := (Curve{Points: c.Points[:1]}).Best(); ok {
		t.Error("a best evaluation of none")
	}
	if _, ok := (Curve{}).Last(); ok {
		t.Error("a last step of none")
	}
}

// What is written is read again.
func TestMetricsRoundTrip(t *testing.T) {
	all := course(60)
	var b bytes.Buffer
	if err := train.WriteMetrics(&b, all); err != nil {
		t.Fatal(err)
	}
	again, err := train.ParseMetrics(&b, "x")
	if err != nil || !reflect.DeepEqual(again, all) {
		t.Fatalf("%v: %v", err, again)
	}
}

func TestDrawCurves(t *testing.T) {
	path := fixture.NewPath(t, "curves.svg")
	short := Curve{Name: "runs/" + strings.Repeat("long", 20), Points: course(3)} // never evaluated
	frozen := Curve{Name: "frozen", Points: []train.Metrics{{Step: 1, Loss: 1}}}
	curves := []Curve{{Name: "runs/one", Points: course(300)}, short, frozen, {Name: "reference: x", Points: course(200), Reference: true}}
	for range 6 {
		curves = append(curves, Curve{Name: "runs/more", Points: course(100)})
	}
	if err := DrawCurves(path, curves); err != nil {
		t.Fatal(err)
	}
	text := expect.File(t, path)
	for _, want := range []string{"Training loss", "Validation loss", "Learning rate", "Gradient norm", "runs/one", "…", "reference: x",
		"best 3.0000 at step 150", floorName, "#0072B2", "#6E6E6E"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the picture", want)
		}
	}
	if strings.Contains(string(text), short.Name) {
		t.Error("a long name isn't shortened")
	}
}

// Of many runs the legend names the best, and counts the others.
func TestManyCurves(t *testing.T) {
	var curves []Curve
	for i := range 30 {
		points := course(200)
		for j := range points {
			if points[j].ValLoss != 0 {
				points[j].ValLoss += float64((i*7)%30) / 10
			}
			points[j].Loss += float64((i*7)%30) / 10
		}
		curves = append(curves, Curve{Name: fmt.Sprintf("run-%02d", i), Points: Smooth(points, 100)})
	}
	path := fixture.NewPath(t, "curves.svg")
	if err := DrawCurves(path, curves); err != nil {
		t.Fatal(err)
	}
	picture := expect.File(t, path)
	if n := bytes.Count(picture, []byte(">run-")); n != mostNamed || !bytes.Contains(picture, []byte(">22 others<")) {
		t.Errorf("%d names in the legend, want %d and a line for 22 others", n, mostNamed)
	}
	if !bytes.Contains(picture, []byte(">run-00<")) || bytes.Contains(picture, []byte(">run-04<")) { // of 0 and of 28 tenths more
		t.Error("the legend doesn't name the best")
	}
}

// Runs whose tokens are of other lengths are compared in bits per byte, with the floors; those
// with the same tokenizer, or without evaluations, are not converted.
func TestComparable(t *testing.T) {
	with := func(bits float64) (c Curve) {
		c.Points = course(100)
		for i := range c.Points {
			c.Points[i].BitsPerByte = bits * c.Points[i].ValLoss
		}
		return c
	}
	one, other := with(0.5), with(0.25)
	list, unit := Comparable([]Curve{one, other})
	if unit != BitsPerByte {
		t.Fatalf("in %s", unit)
	}
	for i, c := range list {
		before, bits := []Curve{one, other}[i].Points, []float64{0.5, 0.25}[i]
		for j, m := range c.Points {
			if math.Abs(m.Loss-bits*before[j].Loss) > 1e-12 || math.Abs(m.ValLoss-bits*before[j].ValLoss) > 1e-12 || m.Floor != bits*before[j].Floor {
				t.Fatalf("curve %d: %+v was %+v", i, m, before[j])
			}
		}
	}
	if one.Points[0].Loss != 3 {
		t.Error("the curve itself was changed")
	}
	for _, same := range [][]Curve{{one, one}, {one, {Points: course(3)}}, {one}} {
		if list, unit := Comparable(same); unit != NatsPerToken || list[0].Points[0].Loss != 3 {
			t.Errorf("in %s", unit)
		}
	}
}

// Of a fine-tuning the loss of labels is drawn, which evaluations measure.
func TestSmoothLabels(t *testing.T) {
	all := []train.Metrics{{Step: 1, Loss: 5, Values: map[string]float64{finetune.LabelLoss: 0.75}}}
	if got := Smooth(all, 10)[0].Loss; math.Abs(got-0.75) > 1e-12 {
		t.Errorf("the loss is %v", got)
	}
}
