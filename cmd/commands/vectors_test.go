package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// space is vectors of eight numbers, with files of questions: see
// study/verify/python/vectors_golden.py.
const space = "../../embedding/query/testdata/"

// piped runs a command line with standard input.
func piped(t *testing.T, input string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w.WriteString(input)
	w.Close()
	old := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = old; r.Close() }()
	var out, errs bytes.Buffer
	status = execute(context.Background(), append([]string{"gpt"}, args...), &out, &errs)
	return status, out.String(), errs.String()
}

func TestVectorsConvert(t *testing.T) {
	dir := t.TempDir()
	contains(t, succeed(t, "vectors", "convert", "--from", space+"space.txt", "--to", dir+"/v.bin.gz"), "v.bin.gz (word2vec binary, gzipped): 150 words of 8 numbers")
	succeed(t, "vectors", "convert", "--from", dir+"/v.bin.gz", "--to", dir+"/vectors.safetensors")
	succeed(t, "vectors", "convert", "--run", dir, "--to", dir+"/again.txt")
	want := expect.File(t, space+"space.txt")
	if got, err := os.ReadFile(dir + "/again.txt"); err != nil || len(strings.Fields(string(got))) != len(strings.Fields(string(want))) {
		t.Errorf("%d bytes from %d, %v", len(got), len(want), err)
	}
	for _, k := range []struct {
		status int
		want   string
		args   []string
	}{
		{1, "is there already", []string{"--run", dir, "--to", dir + "/again.txt"}},
		{2, "expected .safetensors, .bin", []string{"--run", dir, "--to", dir + "/again.csv"}},
		{2, "either --run or --from", []string{"--run", dir, "--from", dir + "/v.bin.gz", "--to", dir + "/x.txt"}},
		{1, "vectors of others are read with --from", []string{"--to", dir + "/x.txt"}},
		{1, "no such folder", []string{"--run", dir + "/none", "--to", dir + "/x.txt"}},
	} {
		if status, _, stderr := gpt(append([]string{"vectors", "convert"}, k.args...)...); status != k.status || !strings.Contains(stderr, k.want) {
			t.Errorf("%v: exit %d, %s", k.args, status, stderr)
		}
	}
}

func TestVectorsAsk(t *testing.T) {
	from := []string{"--from", space + "space.txt"}
	out := succeed(t, append([]string{"vectors", "neighbours", "s0", "x7", "-n", "2"}, from...)...)
	if want := "s0:\np0   0.756\ns9   0.660\n\nx7:\ns25   0.767\ns4    0.752\n"; out != want {
		t.Errorf("%q, want %q", out, want)
	}
	status, out, stderr := piped(t, "s1 p1 s2\n\ns3\tf3\ts9\n", append([]string{"vectors", "analogy", "--format", "json", "-n", "1"}, from...)...)
	var first struct {
		A, Method string
		Answers   []struct{ Word string }
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[0]), &first); status != 0 || err != nil || len(lines) != 2 || first.A != "s1" || first.Method != "3cosadd" || first.Answers[0].Word != "p2" {
		t.Errorf("exit %d, %v: %s%s", status, err, out, stderr)
	}
	for input, want := range map[string]string{"s1 p1\n": "line 1: found 2 words, expected 3", "s1 p1 s2\ns1 p1 nope\n": `line 2: no word "nope"`} {
		if status, _, stderr := piped(t, input, append([]string{"vectors", "analogy"}, from...)...); status != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit %d, %s", input, status, stderr)
		}
	}
	for _, args := range [][]string{{"neighbours", "s0", "-n", "0"}, {"analogy", "a", "b"}, {"analogy", "--method", "best", "a", "b", "c"}, {"neighbours", "--format", "xml", "s0"}, {"nearest"}} {
		if status, _, stderr := gpt(append(append([]string{"vectors"}, args...), from...)...); status != 2 {
			t.Errorf("%v: exit %d, %s", args, status, stderr)
		}
	}
}

func TestVectorsScore(t *testing.T) {
	args := []string{"vectors", "score", "--from", space + "space.txt", "--analogies", space + "questions.txt", "--similarities", space + "pairs.tsv"}
	contains(t, succeed(t, args...), "answered with 150 of 150 words", "3cosmul %", "plural", "71.0", "57.8", "Spearman 0.359", "50 of 51 pairs known")
	strange := fixture.File(t, "strange.tsv", "nobody\tknows\t1\nthese\twords\t2\n")
	contains(t, succeed(t, append(args, "--similarities", strange)...), "strange.tsv: no correlation: 0 of 2 pairs known, expected two or more\n")
	var report scoreReport
	if err := json.Unmarshal([]byte(succeed(t, append(args, "--format", "json", "--restrict-vocab", "60", "--method", "3cosmul")...)), &report); err != nil {
		t.Fatal(err)
	}
	if a := report.Analogies[0].All; report.Restrict != 60 || len(a.Correct) != 1 || a.Questions+a.Unknown != 582 || a.Unknown <= 2 || report.Similarities[0].Pairs != 50 {
		t.Errorf("%+v", report)
	}
	contains(t, refused(t, 2, args[:4]...), "nothing to measure by")
}

func TestVectorsPlot(t *testing.T) {
	dir := t.TempDir()
	plot := func(args ...string) []string {
		return append([]string{"vectors", "plot", "--from", space + "space.txt", "--to", dir + "/map.svg"}, args...)
	}
	fixture.Write(t, dir+"/pairs.txt", "s1 p1\ns2\tp2\n")
	contains(t, succeed(t, plot("s1", "x7", "--neighbours", "8", "--iterations", "50")...), "t-SNE: perplexity ", "50 steps")
	contains(t, succeed(t, plot("--pairs", dir+"/pairs.txt")...), "4 words\nPCA: the two directions have ")
	contains(t, succeed(t, "vectors", "plot", "--from", space+"space.txt", "--to", dir+"/map.html", "--top", "40", "--title", "My words", "--method", "pca"), "40 words")
	picture := expect.File(t, dir+"/map.svg")
	page := expect.File(t, dir+"/map.html")
	contains(t, string(picture), "<svg", ">p2</text>", "<line ")
	contains(t, string(page), "<title>My words</title>", `"text":"s1"`)
	for want, args := range map[string][]string{
		"expected a name that ends in .svg or .html": {"--to", dir + "/map.gif"},
		"expected tsne or pca":                       {"--method", "umap"},
		"either words or --pairs":                    {"s1", "--pairs", dir + "/pairs.txt"},
		"no word \"nope\"":                           {"nope"},
		"perplexity 500 of 150 vectors":              {"--perplexity", "500"},
	} {
		if status, _, stderr := gpt(plot(args...)...); status == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit %d, %s", args, status, stderr)
		}
	}
	fixture.Write(t, dir+"/pairs.txt", "s1 p1\ns2\n")
	contains(t, refused(t, 1, plot("--pairs", dir+"/pairs.txt")...), "line 2 has 1 words: expected two")
}

func TestVectorsPhrases(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Write(t, "en.txt", strings.Repeat("She lives in New York.\nYork is old, new is not.\nIn a house she lives\n", 30)+"he is in the house\n")
	out := succeed(t, "vectors", "phrases", "--data", "en.txt", "--score", "npmi", "--threshold", "0.95", "--to", "joined.txt")
	contains(t, out, "pass 1: ", " ×  she_lives", "wrote joined.txt: ")
	joined := expect.File(t, "joined.txt")
	contains(t, string(joined), "she_lives in new york", "york is old new is not", "in a_house she_lives\n")
	fixture.Write(t, "zh.txt", strings.Repeat("我爱北京\n北京很大\n你爱我\n天很大\n", 5))
	succeed(t, "vectors", "phrases", "--data", "zh.txt", "--chars", "--score", "npmi", "--threshold", "0.8", "--write-dict", "dict.txt")
	contains(t, succeed(t, "vectors", "phrases", "--data", "zh.txt", "--dict", "dict.txt", "--to", "cut.txt.gz"), "wrote cut.txt.gz: 50 words")
	if out := succeed(t, "vectors", "phrases", "--data", "zh.txt", "--words", "spaces", "--min-count", "1", "--format", "json"); !strings.HasPrefix(out, `{"pass":1,"found":0,"best":[]}`) {
		t.Error(out)
	}
	for want, args := range map[string][]string{
		"no text":                   {},
		"--words: \"lines\"":        {"--data", "en.txt", "--words", "lines"},
		"threshold 3 for":           {"--data", "en.txt", "--score", "npmi", "--threshold", "3"},
		"either --dict or --words":  {"--data", "en.txt", "--dict", "dict.txt", "--chars"},
		"--passes is 11":            {"--data", "en.txt", "--passes", "11"},
		"are both ./new.txt":        {"--data", "en.txt", "--to", "./new.txt", "--write-dict", "new.txt"},
		"joined.txt is there":       {"--data", "en.txt", "--to", "joined.txt"},
		"expected a word, its freq": {"--data", "en.txt", "--dict", "en.txt"},
	} {
		if status, _, stderr := gpt(append([]string{"vectors", "phrases"}, args...)...); status == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit %d, %s", args, status, stderr)
		}
	}
}

func TestVectorsNER(t *testing.T) {
	dir := t.TempDir()
	var sentences strings.Builder
	for i := range 60 {
		fmt.Fprintf(&sentences, "s%d O\np%d I-PLURAL\nx%d O\nf%d I-FEMALE\n\n", i%30, i*7%30, i, i*11%30)
	}
	fixture.Write(t, dir+"/names.txt", sentences.String())
	args := []string{"vectors", "ner", "--from", space + "space.txt", "--data", dir + "/names.txt", "--set", "ner.epochs=2", "--set", "ner.hidden=8", "--seeds", "1"}
	contains(t, succeed(t, append(args, "--to", dir+"/curve.svg")...), "sentences: 42 to learn from, 6 to choose by, 12 to measure on", "FEMALE", "│ random ", "│ tuned ", "│                 42 │", "wrote "+dir+"/curve.svg")
	contains(t, succeed(t, append(args, "--start", "frozen", "--ablate")...), "parts of the classifier, frozen vectors", "without suffix", "without CRF")
	var trial struct {
		Start string
		Seed  int
		Test  struct{ All struct{ True int } }
	}
	fixture.Write(t, dir+"/ner.yaml", "ner: {window: 1, features: [shape]}\n")
	out := succeed(t, append(args, "--config", dir+"/ner.yaml", "--start", "tuned", "--format", "json")...)
	if err := json.Unmarshal([]byte(out), &trial); err != nil || trial.Start != "tuned" || trial.Seed != 1 || trial.Test.All.True != 24 {
		t.Errorf("%s, %v", out, err)
	}
	for want, more := range map[string][]string{
		"ner.hidden is -1":                 {"--set", "ner.hidden=-1"},
		"expected random, frozen or tuned": {"--start", "warm"},
		"either --data, to be divided":     {"--train", dir + "/names.txt"},
		"--seeds is 0":                     {"--seeds", "0"},
		"space.txt:1: tag":                 {"--data", space + "space.txt"},
	} {
		if status, _, stderr := gpt(append(args, more...)...); status == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit %d, %s", more, status, stderr)
		}
	}
	contains(t, refused(t, 2, "vectors", "ner", "--from", space+"space.txt", "--train", dir+"/names.txt"), "no labelled sentences")
}

func TestVectorsClassify(t *testing.T) {
	dir := t.TempDir()
	var texts strings.Builder
	texts.WriteString("sentence\tlabel\n")
	for i := range 60 { // plurals against singulars
		fmt.Fprintf(&texts, "%c%d %c%d\t%d\n", "sp"[i%2], i%30, "sp"[i%2], i*7%30, i%2)
	}
	fixture.Write(t, dir+"/a.tsv", texts.String())
	args := []string{"vectors", "classify", "--from", space + "space.txt", "--data", dir + "/a.tsv", "--test", dir + "/a.tsv"}
	contains(t, succeed(t, args...), "accuracy of classifiers that learned from 54 examples", "mean of vectors", "n-grams")
	var report averagesReport
	if err := json.Unmarshal([]byte(succeed(t, append(args, "--format", "json")...)), &report); err != nil || len(report.Rows) != 2 || report.Rows[0].Test["accuracy"] < 0.9 {
		t.Errorf("%+v, %v", report, err)
	}
	contains(t, refused(t, 2, args[:4]...), "no labelled texts")
}
