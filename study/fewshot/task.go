package fewshot

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"tinygpt/data"
	"tinygpt/data/labelled"
	"tinygpt/data/quiz"
	"tinygpt/internal/suggest"
)

// Task is a kind of question with choices.
type Task interface {
	Name() string
	// About says in a few words what is asked for.
	About() string
	// Trial returns trial i of an endless series for a seed, with this number of shots. A
	// trial with fewer shots has the first shots of the same trial with more. The question isn't
	// among the shots.
	Trial(seed uint64, i, shots int) Trial
	// MaxShots returns the maximum number of shots of a trial; −1: any number.
	MaxShots() int
	// Trials returns how many different questions there are; −1: too many to ask all.
	Trials() int
}

// Trial is a question after some solved ones.
type Trial struct {
	Shots []Example
	Query Example
	// Ideal[k] is the probability that the best possible reader is right with the first k
	// shots; nil if it isn't known.
	Ideal []float64
}

// Example is a question with choices, of which Choices[Answer] is right.
type Example struct {
	Question string
	Choices  []string
	Answer   int
}

// BuiltIn returns the tasks of the built-in world.
func BuiltIn() (tasks []Task) {
	for _, t := range quiz.Tasks() {
		tasks = append(tasks, builtIn{t})
	}
	return tasks
}

// Open returns the built-in task of that name, or reads the task of the file of that name; see
// ReadTask.
func Open(name string, o data.Options) (Task, error) {
	var names []string
	for _, t := range BuiltIn() {
		if t.Name() == name {
			return t, nil
		}
		names = append(names, t.Name())
	}
	if !strings.ContainsAny(name, "./\\") {
		return nil, fmt.Errorf("no task %q: expected %s, or a file such as task.jsonl%s", name, strings.Join(names, ", "), suggest.DidYouMean(name, names...))
	}
	return ReadTask(name, o)
}

// builtIn is a task of the built-in world. It asks questions that were held out of the sheets in
// the training text; its shots are like those in the sheets, as in the paper, where they come
// from the training sets.
type builtIn struct{ quiz.Task }

func (t builtIn) Name() string  { return t.Task.Name }
func (t builtIn) About() string { return t.Asks }
func (t builtIn) MaxShots() int { return -1 }
func (t builtIn) Trials() int   { return -1 }

func (t builtIn) Trial(seed uint64, i, shots int) Trial {
	query, solved := t.Task.Trial(seed, i, shots)
	trial := Trial{Query: example(query)}
	for k := range solved {
		trial.Shots = append(trial.Shots, example(solved[k]))
	}
	for k := range len(solved) + 1 {
		trial.Ideal = append(trial.Ideal, t.Ideal(solved[:k], query))
	}
	return trial
}

func example(e quiz.Example) Example {
	return Example{e.Question, e.Choices, slices.Index(e.Choices, e.Answer)}
}

// file is a task with the examples of a file.
type file struct {
	name     string
	examples []Example
}

// ReadTask reads a task from a table or from JSON lines such as
//
//	{"question": "hot", "choices": ["warm", "cold"], "answer": "cold"}
//
// Package labelled finds the columns. The answer is one of the choices or its number. Errors
// name the file.
func ReadTask(path string, o data.Options) (Task, error) {
	rows, err := labelled.ReadExamples(path, "", labelled.Choice, o)
	var unknown *labelled.UnknownColumns
	if errors.As(err, &unknown) {
		return nil, fmt.Errorf("%s: which columns hold the %s? %s: in a task they are called question, choices and answer", unknown.Table, unknown.Wanted, unknown.Has)
	}
	if err != nil {
		return nil, err
	}
	labels := labelled.NewChoiceLabels(rows)
	f := file{name: path}
	for _, row := range rows {
		answer, err := labels.Index(row)
		if err != nil {
			return nil, err
		}
		f.examples = append(f.examples, Example{row.Texts[0], row.Choices, answer})
	}
	return f, nil
}

func (f file) Name() string  { return f.name }
func (f file) About() string { return fmt.Sprintf("%d questions of a file", len(f.examples)) }
func (f file) MaxShots() int { return len(f.examples) - 1 }
func (f file) Trials() int   { return len(f.examples) }

func (f file) Trial(seed uint64, i, shots int) Trial {
	i %= len(f.examples)
	t := Trial{Query: f.examples[i]}
	for _, j := range rand.New(rand.NewPCG(seed, uint64(i))).Perm(len(f.examples)) {
		if len(t.Shots) == shots {
			break
		}
		if j != i {
			t.Shots = append(t.Shots, f.examples[j])
		}
	}
	return t
}
