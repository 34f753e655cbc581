package ngram

import (
	"crypto/sha256"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tinygpt/data/labelled"
	"tinygpt/finetune/linear"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

var origin = Origin{Task: "classification", Kind: labelled.Single, Outputs: 2, Examples: "abc"}

// small is a model whose numbers are no round ones.
func small() *linear.Model {
	v := Learn(labelled.Single, texts("good film", "bad film \x00 万"))
	m := &linear.Model{Features: v, Outputs: 2, C: 0.1}
	for i := range (v.Size() + 1) * 2 {
		m.Weights = append(m.Weights, float32(math.Sin(float64(i))))
	}
	return m
}

// What is written is read again to the bit, and gives the same scores.
func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n")
	m := small()
	if err := Write(path, m, 0.3, origin); err != nil {
		t.Fatal(err)
	}
	got, share, err := Read(path, origin)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) || share != 0.3 {
		t.Errorf("%+v with the share %v\nwant %+v", got, share, m)
	}
	if a, b := got.Scores(unseen[0]), m.Scores(unseen[0]); !reflect.DeepEqual(a, b) {
		t.Errorf("scores %v, want %v", a, b)
	}
}

// A file with one byte changed, or cut off anywhere, is refused in a line that names it; one
// of other examples too.
func TestDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n")
	if err := Write(path, small(), 0.3, origin); err != nil {
		t.Fatal(err)
	}
	whole := expect.File(t, path)
	refused := func(content []byte, from Origin, want string) {
		t.Helper()
		fixture.Write(t, path, string(content))
		_, _, err := Read(path, from)
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for i := range whole {
		refused(whole[:i], origin, "")
		broken := append([]byte{}, whole...)
		broken[i] ^= 0x20
		refused(broken, origin, "damaged")
	}
	other := origin
	other.Examples = "abd"
	refused(whole, other, "other examples")
	for from, to := range map[string]string{
		`"share":0.3`: `"share":1.3`, `"ngrams":9`: `"ngrams":8`, `"rows":2`: `"rows":1`, "n-grams 1": "n-grams 2", "\x04film": "\x04zilm",
	} {
		content := strings.Replace(string(whole[:len(whole)-sha256.Size]), from, to, 1)
		if content == string(whole[:len(whole)-sha256.Size]) {
			t.Errorf("the file has no %q: %q", from, content)
		}
		sum := sha256.Sum256([]byte(content))
		refused([]byte(content+string(sum[:])), origin, "")
	}
}

// Whatever bytes come, parse gives an error or a model that can be asked.
func FuzzParse(f *testing.F) {
	path := filepath.Join(f.TempDir(), "n")
	if err := Write(path, small(), 0.3, origin); err != nil {
		f.Fatal(err)
	}
	whole := string(expect.File(f, path))
	content := whole[:len(whole)-sha256.Size]
	f.Add(content)
	f.Add(content[:len(content)/2])
	f.Add(fmt.Sprintf(`{"format":%q,"task":"classification","outputs":2,"examples_sha256":"abc","rows":1,"ngrams":99999999999}`, format) + "\n")
	f.Fuzz(func(t *testing.T, content string) {
		m, share, err := parse([]byte(content), origin)
		if err != nil {
			return
		}
		for _, v := range m.Scores(unseen[0])[0] {
			if math.IsNaN(v) {
				t.Errorf("scores %v with the share %v", v, share)
			}
		}
	})
}
