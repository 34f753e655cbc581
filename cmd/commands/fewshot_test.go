package commands

import (
	"encoding/json"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/study/fewshot"
)

// A run answers the tasks of the world and those of a file; what it printed is there in
// four formats and as a picture.
func TestFewshot(t *testing.T) {
	inFolderOf(t, tinyAsked)
	succeed(t, "train", "--config", "tiny.yaml", "--set", "data.quizzes=0.5", "--set", "data.stories_bytes=60000")
	out := succeed(t, "fewshot", "--shots", "1, 0", "--trials", "10", "--to", "a.png")
	contains(t, out, "model: runs", "10 questions of each task", "0 shots   1 shot", "opposites", "feelings", "best reader", "chance ")
	if picture := expect.File(t, "a.png"); !strings.HasPrefix(string(picture), "\x89PNG") {
		t.Errorf("the picture begins with %.8q", picture)
	}
	fixture.Write(t, "task.jsonl", `{"question": "hot", "choices": ["cold", "warm"], "answer": "cold"}
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
	contains(t, out, "== task.jsonl (3 questions of a file), 0 shots\nQ: hot A:\n", "1 shot\nQ: ", "!\nQ: hot A:\n", "cold  (right)\n", "   > ")
	for _, c := range []struct {
		args    []string
		status  int
		message string
	}{
		{[]string{"--shots", "1,x"}, 2, `--shots is "x": expected a whole number`},
		{[]string{"--shots", "9223372036854775807"}, 2, "expected numbers from 0 to 100000"},
		{[]string{"--trials", "0"}, 2, "--trials is 0"},
		{[]string{"--format", "xml"}, 2, "expected text, markdown, csv or json"},
		{[]string{"--normalise", "no"}, 2, "per-token"},
		{[]string{"--layout", "{answer}"}, 2, "expected {question} once"},
		{[]string{"--to", "a.pdf"}, 2, ".svg or .png"},
		{[]string{"--task", "opposite"}, 1, `no task "opposite": expected opposites,`},
		{[]string{"--task", "none.jsonl"}, 1, "none.jsonl"},
		{[]string{"--task", "task.jsonl", "--shots", "3"}, 1, "apart from the question there are 2 examples"},
		{[]string{"--task", "places"}, 1, "the model's context is 256: give fewer with --shots"},
	} {
		status, _, stderr := gpt(append([]string{"fewshot"}, c.args...)...)
		if status != c.status || !strings.Contains(stderr, c.message) {
			t.Errorf("%q: exit %d, %s", c.args, status, stderr)
		}
	}
}

// A ladder of two sizes: the same command goes on, and leaves its results.
func TestFewshotRun(t *testing.T) {
	inFolderOf(t, tinyAsked)
	args := []string{"fewshot", "run", "--config", "tiny.yaml", "--set", "data.quizzes=0.5", "--set", "data.stories_bytes=60000", "--layers", "1", "--layers", "2", "--shots", "0,1", "--trials", "8"}
	out := succeed(t, args...)
	contains(t, out, "2 models, 1 × 48 to 2 × 64, each of 3,072 tokens", "8 questions of each task and seed", "sums", "0 to 1 shots", "smallest to largest model", "prompts: ")
	for _, name := range []string{"table.md", "points.json", "shots.svg", "shots.png", "sizes.svg", "sizes.png", "prompts.txt", "seed-1/2x64/config.yaml"} {
		expect.File(t, "runs/tiny-ladder/"+name)
	}
	again := succeed(t, args...)
	if _, table, _ := strings.Cut(out, "8 questions"); !strings.HasSuffix(again, table) {
		t.Errorf("again\n%s\nbefore\n%s", again, table)
	}
	for _, c := range []struct {
		args    []string
		message string
	}{
		{[]string{"--layers", "2", "--layers", "2"}, "expected numbers from 1 to 1000 that rise"},
		{[]string{"--layers", "1", "--layers", "1000000000"}, "expected numbers from 1 to 1000 that rise"},
		{[]string{"--seeds", "0"}, "--seeds is 0: expected 1 to 1000"},
		{[]string{"--seeds", "1000000000"}, "--seeds is 1000000000: expected 1 to 1000"},
		{[]string{"--shots", "-1"}, "expected numbers from 0"},
	} {
		contains(t, refused(t, 2, append([]string{"fewshot", "run", "--config", "tiny.yaml"}, c.args...)...), c.message)
	}
	contains(t, refused(t, 1, append(args, "--set", "train.steps=7")...), "other settings")
}
