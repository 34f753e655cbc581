package fewshot

import (
	"slices"
	"testing"

	"tinygpt/data"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

func TestReadTask(t *testing.T) {
	write := func(name, text string) string {
		path := fixture.File(t, name, text)
		return path
	}
	const three = `{"question": "hot", "choices": ["warm", "cold"], "answer": "cold"}
{"question": "1", "choices": ["2", "1"], "answer": "2"}
{"question": "c", "choices": ["x", "y", "z"], "answer": "x"}
`
	task, err := Open(write("three.jsonl", three), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if task.Trials() != 3 || task.MaxShots() != 2 {
		t.Errorf("%d trials, %d shots", task.Trials(), task.MaxShots())
	}
	for i, answer := range []string{"cold", "2", "x"} {
		trial := task.Trial(1, i, 2)
		if got := trial.Query.Choices[trial.Query.Answer]; got != answer {
			t.Errorf("question %d: answer %q", i, got)
		}
		for _, s := range trial.Shots {
			if s.Question == trial.Query.Question {
				t.Errorf("question %d is among its own shots", i)
			}
		}
		if fewer := task.Trial(1, i, 1); fewer.Shots[0].Question != trial.Shots[0].Question {
			t.Errorf("question %d: its first shot changes with their number", i)
		}
	}
	numbered, err := Open(write("n.jsonl", `{"question": "a", "choices": ["p", "q"], "label": 1}`+"\n"+`{"question": "b", "choices": ["p", "q"], "label": 0}`), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a := numbered.Trial(1, 0, 0).Query.Answer; a != 1 {
		t.Errorf("answer %d", a)
	}
	for name, c := range map[string]struct{ text, message string }{
		"none.jsonl":   {"", "empty"},
		"wrong.jsonl":  {`{"question": "a", "choices": ["p", "q"], "answer": "red"}`, "wrong.jsonl:1: the label \"red\" isn't one of the choices"},
		"absent.jsonl": {`{"question": "a", "answer": "r"}`, "choices"},
	} {
		_, err := Open(write(name, c.text), data.Options{})
		expect.Error(t, err, c.message)
	}
	_, err = Open("opposite", data.Options{})
	expect.Error(t, err, "expected opposites, sorting")
}

func TestBuiltIn(t *testing.T) {
	for _, task := range BuiltIn() {
		all, two := task.Trial(4, 9, 16), task.Trial(4, 9, 2)
		if !slices.EqualFunc(all.Shots[:2], two.Shots, func(a, b Example) bool { return a.Question == b.Question }) || all.Query.Question != two.Query.Question {
			t.Errorf("%s: two shots are not the first two of sixteen", task.Name())
		}
		if len(all.Ideal) != 17 || all.Ideal[16] != 1 {
			t.Errorf("%s: ideal %v", task.Name(), all.Ideal)
		}
		if next := task.Trial(5, 9, 16); next.Query.Question == all.Query.Question && next.Shots[0].Question == all.Shots[0].Question {
			t.Errorf("%s: the seed makes no difference", task.Name())
		}
	}
}

func TestLayout(t *testing.T) {
	l, err := ParseLayout(DefaultLayout)
	if err != nil {
		t.Fatal(err)
	}
	trial := Trial{Shots: []Example{{"hot", []string{"warm", "cold"}, 1}}, Query: Example{Question: "big"}}
	if got := l.Prompt(trial); got != "- hot -> cold\n- big ->" {
		t.Errorf("%q", got)
	}
	for _, wrong := range []string{"", "{question}", "{answer} {question}", "{question}{answer}", "{question} {question} {answer}"} {
		if _, err := ParseLayout(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
