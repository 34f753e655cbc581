package explain

import (
	"fmt"
	"math"
	"slices"
)

// features are vectors made by hand, whose numbers have a meaning each. Trained vectors have
// such directions too, but not along their axes.
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

// Names translates the words and features, which are English, for a lecture in another
// language. What it doesn't have stays English.
type Names map[string]string

// Chinese has the Chinese names of all words and features.
var Chinese = Names{
	"man": "男人", "woman": "女人", "king": "国王", "queen": "王后", "boy": "男孩", "girl": "女孩",
	"prince": "王子", "princess": "公主", "apple": "苹果", "bread": "面包",
	"gender": "性别", "royal": "王室", "age": "年龄", "food": "食物",
}

func (n Names) of(word string) string {
	if name := n[word]; name != "" {
		return name
	}
	return word
}

// header returns the names of the features, with the columns before and after them.
func (n Names) header(before string, after ...string) []string {
	cells := []string{before, n.of("gender"), n.of("royal"), n.of("age"), n.of("food")}
	return append(cells, after...)
}

// Features returns a table of words with four features made by hand: gender, royal, age, food.
func Features(n Names) Table {
	t := Table{Title: "Features by hand", Header: n.header("word"),
		Note: "If each number of a vector said how much of something a word has, words with like features would be near each other."}
	for _, f := range features {
		t.add(n.of(f.word), f.x[0], f.x[1], f.x[2], f.x[3])
	}
	return t
}

// Differences returns a table of differences of the features: analogies are equal differences.
func Differences(n Names) Table {
	t := Table{Title: "Differences", Header: n.header("", "nearest word"),
		Note: fmt.Sprintf("%[1]s − %[2]s and %[3]s − %[4]s differ in gender alone; so %[3]s − %[1]s + %[2]s is near %[4]s.", n.of("man"), n.of("woman"), n.of("king"), n.of("queen"))}
	for _, p := range [][2]string{{"man", "woman"}, {"king", "queen"}, {"boy", "girl"}, {"king", "man"}, {"queen", "woman"}} {
		x, y := feature(p[0]), feature(p[1])
		t.add(n.of(p[0])+" − "+n.of(p[1]), x[0]-y[0], x[1]-y[1], x[2]-y[2], x[3]-y[3], "")
	}
	for _, q := range [][3]string{{"king", "man", "woman"}, {"boy", "man", "woman"}, {"prince", "king", "queen"}} {
		var x [4]float64
		for i := range x {
			x[i] = feature(q[0])[i] - feature(q[1])[i] + feature(q[2])[i]
		}
		word, cosine := nearest(x, q[:])
		t.add(fmt.Sprintf("%s − %s + %s", n.of(q[0]), n.of(q[1]), n.of(q[2])), x[0], x[1], x[2], x[3], fmt.Sprintf("%s (cosine %.3f)", n.of(word), cosine))
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

// nearest returns the word whose features have the largest cosine with x, except those in
// without.
func nearest(x [4]float64, without []string) (word string, cosine float64) {
	cosine = math.Inf(-1)
	for _, f := range features {
		if slices.Contains(without, f.word) {
			continue
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
