package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"tinygpt/fewshot"
)

// A run answers the tasks of the world and those of a file; what it printed is there in four formats and as a picture.
func TestFewshot(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "tiny.yaml", strings.Replace(tiny, "context: 24", "context: 256", 1))
	succeed(t, "train", "--config", "tiny.yaml", "--set", "data.quizzes=0.5", "--set", "data.stories_bytes=60000")
	out := succeed(t, "fewshot", "--shots", "1, 0", "--trials", "10", "--plot", "a.png")
	contains(t, out, "model: runs", "10 questions of each task", "0 shots   1 shot", "opposites", "feelings", "best reader", "chance ")
	if picture, err := os.ReadFile("a.png"); err != nil || !strings.HasPrefix(string(picture), "\x89PNG") {
		t.Errorf("the picture: %v", err)
	}
	writeFile(t, "task.jsonl", `{"question": "hot", "choices": ["cold", "warm"], "answer": "cold"}
{"question": "big", "choices": ["small", "large", "wide"], "answer": "small"}
{"question": "up", "choices": ["down", "high"], "answer": "down"}
`)
	var points []fewshot.Point
	if err := json.Unmarshal([]byte(succeed(t, "fewshot", "--task", "task.jsonl", "--task", "sums", "--shots", "2", "--format", "json")), &points); err != nil {
		t.Fatal(err)
	}
	if len(points) != 2 || points[0].Task != "task.jsonl" || points[0].Trials != 3 || points[1].Trials != 400 || points[0].Chance < 0.44 || points[0].Chance > 0.45 {
		t.Errorf("%+v", points)
	}
	out = succeed(t, "fewshot", "--task", "task.jsonl", "--layout", "Q: {question} A: {answer}!", "--shots", "0,1", "--show")
	contains(t, out, "== task.jsonl (3 questions of a file), 0 shots\nQ: hot A:\n", "1 shots\nQ: ", "!\nQ: hot A:\n", "cold  (right)\n", "   > ")
	for _, c := range []struct {
		args    []string
		status  int
		message string
	}{
		{[]string{"--shots", "1,x"}, 2, `--shots is "1,x": expected numbers such as 0,1,4,16`},
		{[]string{"--trials", "0"}, 2, "--trials is 0"},
		{[]string{"--format", "xml"}, 2, "expected one of text, markdown, csv, json"},
		{[]string{"--normalise", "no"}, 2, "per-token"},
		{[]string{"--layout", "{answer}"}, 2, "expected {question} once"},
		{[]string{"--plot", "a.pdf"}, 2, ".svg or .png"},
		{[]string{"--task", "opposite"}, 1, `no task "opposite": expected opposites,`},
		{[]string{"--task", "none.jsonl"}, 1, "none.jsonl"},
		{[]string{"--task", "task.jsonl", "--shots", "3"}, 1, "there are 2 examples beside the one that is asked"},
		{[]string{"--task", "places"}, 1, "the model's context is 256: give fewer with --shots"},
	} {
		status, _, stderr := gpt(append([]string{"fewshot"}, c.args...)...)
		if status != c.status || !strings.Contains(stderr, c.message) {
			t.Errorf("%q: exit %d, %s", c.args, status, stderr)
		}
	}
}
