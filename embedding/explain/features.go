package explain

import (
	"fmt"
	"math"
)

// features are vectors made by hand, of which each number has a meaning. Trained vectors
// have such directions too, but not along their axes.
var features = []struct {
	word string
	x    [4]float64 // gender, royal, age, food
}{
	{"man", [4]float64{-1, 0, 0.6, 0}}, {"woman", [4]float64{1, 0, 0.6, 0}},
	{"king", [4]float64{-0.95, 0.95, 0.7, 0}}, {"queen", [4]float64{0.95, 0.95, 0.7, 0}},
	{"boy", [4]float64{-1, 0, 0.1, 0}}, {"girl", [4]float64{1, 0, 0.1, 0}},
	{"prince", [4]float64{-0.95, 0.9, 0.2, 0}}, {"princess", [4]float64{0.95, 0.9, 0.2, 0}},
	{"apple", [4]float64{0, 0, 0.05, 0.95}}, {"bread", [4]float64{0, 0.05, 0.05, 1}},
}

// Features is words with the features gender, royal, age and food, by hand.
func Features() Table {
	t := Table{Title: "Features by hand", Header: []string{"word", "gender", "royal", "age", "food"},
		Note: "If each number of a vector said how much of something a word has, words with like features would be near each other."}
	for _, f := range features {
		t.add(f.word, f.x[0], f.x[1], f.x[2], f.x[3])
	}
	return t
}

// Differences subtracts features: analogies are equal differences.
func Differences() Table {
	t := Table{Title: "Differences", Header: []string{"", "gender", "royal", "age", "food", "nearest word"},
		Note: "man − woman and king − queen differ in gender alone; so king − man + woman is near queen."}
	for _, p := range [][2]string{{"man", "woman"}, {"king", "queen"}, {"boy", "girl"}, {"king", "man"}, {"queen", "woman"}} {
		x, y := feature(p[0]), feature(p[1])
		t.add(p[0]+" − "+p[1], x[0]-y[0], x[1]-y[1], x[2]-y[2], x[3]-y[3], "")
	}
	for _, q := range [][3]string{{"king", "man", "woman"}, {"boy", "man", "woman"}, {"prince", "king", "queen"}} {
		var x [4]float64
		for i := range x {
			x[i] = feature(q[0])[i] - feature(q[1])[i] + feature(q[2])[i]
		}
		word, cosine := nearest(x, q[:])
		t.add(fmt.Sprintf("%s − %s + %s", q[0], q[1], q[2]), x[0], x[1], x[2], x[3], fmt.Sprintf("%s (cosine %.3f)", word, cosine))
	}
	return t
}

func feature(word string) [4]float64 {
	for _, f := range features {
		if f.word == word {
			return f.x
		}
	}
	panic("explain: no features of " + word)
}

// nearest is the word with the largest cosine, without those of the question.
func nearest(x [4]float64, without []string) (word string, cosine float64) {
	cosine = math.Inf(-1)
next:
	for _, f := range features {
		for _, w := range without {
			if w == f.word {
				continue next
			}
		}
		var xy, xx, yy float64
		for i := range x {
			xy, xx, yy = xy+x[i]*f.x[i], xx+x[i]*x[i], yy+f.x[i]*f.x[i]
		}
		if c := xy / math.Sqrt(xx*yy); c > cosine {
			word, cosine = f.word, c
		}
	}
	return word, cosine
}
