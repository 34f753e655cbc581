package instruct

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
)

// Sizes are the paper's at any scale, no prompt begins as another, and no customer is
// in two cells or has more than two hundred prompts.
func TestWorld(t *testing.T) {
	w := NewWorld(1, 0.02)
	seen, cellOf := map[string]bool{}, map[int]Cell{}
	for _, c := range Table {
		prompts := w.cells[c]
		if want := int(math.Round(float64(c.Paper) * 0.02)); len(prompts) != want {
			t.Errorf("%+v has %d prompts, want %d", c, len(prompts), want)
		}
		asked := map[int]int{}
		for i := range prompts {
			p := &prompts[i]
			if err := CheckPrompt(p.Messages); err != nil || p.Demonstration == "" {
				t.Fatalf("%+v: %v", p, err)
			}
			if first := p.firstWords(); seen[first] {
				t.Errorf("two prompts begin with %q", first)
			} else {
				seen[first] = true
			}
			if (p.Customer > 0) != c.Customer {
				t.Errorf("customer %d among %+v", p.Customer, c)
			}
			if other, ok := cellOf[p.Customer]; ok && other != c && p.Customer > 0 {
				t.Errorf("customer %d is in %+v and in %+v", p.Customer, other, c)
			}
			cellOf[p.Customer] = c
			asked[p.Customer]++
			if p.Customer > 0 && asked[p.Customer] > mostOfCustomer {
				t.Errorf("customer %d has more than %d prompts", p.Customer, mostOfCustomer)
			}
		}
		if c.Customer && len(prompts) > 400 {
			n := 0
			for _, p := range prompts {
				if p.Task == Tell {
					n++
				}
			}
			if share := float64(n) / float64(len(prompts)); share < 0.3 || share > 0.5 {
				t.Errorf("%+v: %.2f of the prompts ask for stories, want about 0.4", c, share)
			}
		}
	}
	if again := NewWorld(1, 0.02); !slices.EqualFunc(again.Prompts(PPO, false), w.Prompts(PPO, false), func(a, b Prompt) bool { return a.Equal(&b) }) {
		t.Error("the same seed gives other prompts")
	}
	var out bytes.Buffer
	w.Show(&out)
	for _, want := range []string{"33,207", "31,144", "199,242", "1,557"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %s:\n%s", want, out.String())
		}
	}
}

func TestRecords(t *testing.T) {
	const text = `{"prompt": "Hi", "response": "Hello."}
{"instruction": "Add.", "input": "1 and 2", "output": "3", "source": "x"}

{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]}
{"prompt": "Hi", "chosen": "Hello.", "rejected": "No."}
{"chosen": [{"role":"user","content":"Hi"},{"role":"assistant","content":"A"}], "rejected": [{"role":"user","content":"Hi"},{"role":"assistant","content":"B"}]}
{"messages": [{"role": "user", "content": "Hi"}], "answers": ["a", "b", "c"], "ranks": [1, 0, 1]}
{"messages": [{"role": "user", "content": "Hi"}], "answers": ["a"], "label": false}
{"prompt": "Hi", "completion": "Go away.", "label": false}
{"prompt": "Hi", "completion": "Hello.", "label": true}
{"conversations": [{"from": "system", "value": "Be kind."}, {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}]}
`
	examples, err := Parse(strings.NewReader(text), "x.jsonl")
	if err != nil || len(examples) != 10 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	if got := examples[1].Prompt[0].Content; got != "Add.\n1 and 2" || examples[1].Answers[0] != "3" {
		t.Errorf("instruction and input are read as %q, %q", got, examples[1].Answers)
	}
	if e := examples[4]; len(e.Prompt) != 1 || e.Answers[0] != "A" || e.Answers[1] != "B" {
		t.Errorf("a pair with the prompt in both conversations is read as %+v", e)
	}
	if got := examples[5].Pairs(); !slices.Equal(got, [][2]int{{1, 0}, {1, 2}}) {
		t.Errorf("pairs %v: want those of the better one only, not of the tie", got)
	}
	for _, e := range examples[6:8] {
		if e.Demonstration() || e.Comparison() {
			t.Errorf("a thumb down is taken for a demonstration or a comparison: %+v", e)
		}
	}
	if e := examples[8]; !e.Demonstration() || e.Answers[0] != "Hello." {
		t.Errorf("a thumb up is read as %+v", e)
	}
	if e := examples[9]; !e.Demonstration() || !slices.Equal(e.Prompt, []Message{{System, "Be kind."}, {User, "Hi"}}) || e.Answers[0] != "Hello." {
		t.Errorf("a conversation of ShareGPT's form is read as %+v", e)
	}
	var b bytes.Buffer
	if err := Write(&b, examples); err != nil {
		t.Fatal(err)
	}
	again, err := Parse(&b, "again")
	if err != nil || len(again) != len(examples) {
		t.Fatalf("what Write writes is read as %d examples, %v", len(again), err)
	}
	for i := range again {
		if !slices.Equal(again[i].Answers, examples[i].Answers) || again[i].Bad != examples[i].Bad || !slices.Equal(again[i].Ranks, examples[i].Ranks) {
			t.Errorf("example %d is %+v after writing and reading, was %+v", i, again[i], examples[i])
		}
	}
}

// A JSON array is read as lines are, and errors name the line of an element.
func TestRecordArray(t *testing.T) {
	const text = "\ufeff [\r\n{\"prompt\": \"甲\", \"response\": \"乙\"},\r\n{\"prompt\": \"c\",\r\n\"response\": \"d\"}]\r\n"
	got, err := Parse(strings.NewReader(text), "x.json")
	if err != nil || len(got) != 2 || got[0].Answers[0] != "乙" || got[1].Answers[0] != "d" {
		t.Errorf("%+v, %v", got, err)
	}
	expect.Errors(t, map[string]string{
		"[\n{\"prompt\": \"a\"}]":                        "x.json:2: ",
		"[\n{\"prompt\": \"a\", \"response\": \"b\"}":    "the array isn't closed",
		"[{\"prompt\": \"a\", \"response\": \"b\"}]\n{}": "more after the array",
		"[]":  "no line in it",
		"[1]": "not a JSON object",
		"[{]": "not a JSON array",
	}, func(text string) ([]Example, error) { return Parse(strings.NewReader(text), "x.json") })
}

func TestRecordErrors(t *testing.T) {
	expect.Errors(t, map[string]string{
		``:                                "no line",
		`{"prompt": "Hi"}`:                "no answer",
		`{"prompt": "Hi", "chosen": "a"}`: "rejected",
		`{"response": "Hi"}`:              "messages are empty",
		`{"prompt": "Hi", "answers": ["a", "b"], "ranks": [1]}`:              "1 ranks for 2 answers",
		`{"messages": [{"role": "bot", "content": "x"}], "response": "y"}`:   `role "bot"`,
		`{"conversations": [{"from": "tool", "value": "x"}], "output": "y"}`: `role "tool"`,
		`nonsense`: "x.jsonl:1",
		`{"prompt": "Hi", "answers": [` + strings.Repeat(`"a", `, MostAnswers) + `"b"]}`: "x.jsonl:1: 33 answers: expected up to 32",
		"{\"prompt\": \"a\", \"response\": \"\xff\"}":                                    "x.jsonl:1: not UTF-8",
	}, func(text string) ([]Example, error) { return Parse(strings.NewReader(text), "x.jsonl") })
}

func FuzzParse(f *testing.F) {
	f.Add(`{"prompt": "Hi", "chosen": [], "rejected": "x"}`)
	f.Add(`{"messages": [{"role": "user", "content": "Hi"}], "answers": ["a"], "label": true}`)
	f.Fuzz(func(t *testing.T, text string) {
		examples, err := Parse(strings.NewReader(text), "f")
		if err != nil {
			return
		}
		for _, e := range examples {
			if CheckPrompt(e.Prompt) != nil || len(e.Answers) == 0 || len(e.Ranks) != len(e.Answers) {
				t.Errorf("%+v", e)
			}
			e.Pairs()
		}
	})
}
