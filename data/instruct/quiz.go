package instruct

import (
	"fmt"
	"strings"

	"tinygpt/data/quiz"
)

// quizzes are the tasks of package quiz that are asked as sentences, with their forms.
var quizzes = map[string][]string{
	"opposites": {"What is the opposite of %s?", "Give me the opposite of %s.", "Which word is the opposite of %s?"},
	"sorting":   {"Sort these digits: %s.", "Put these digits in order: %s.", "Write in ascending order: %s."},
	"sums":      {"What is %s?", "Add %s.", "How much is %s?"},
}

// quizTasks are the tasks of package quiz by name.
var quizTasks = func() map[string]quiz.Task {
	byName := map[string]quiz.Task{}
	for _, t := range quiz.Tasks() {
		byName[t.Name] = t
	}
	return byName
}()

// quiz asks for an opposite, an order or a sum. A third of the labelers' prompts show
// two solved examples first.
func (a *author) quiz() (Prompt, bool) {
	name := a.one("opposites", "sorting", "sums")
	query, solved := quizTasks[name].Trial(a.seed^0x9123, int(a.index&(1<<62-1)), 3)
	if !a.kept {
		query, solved = solved[0], solved[1:]
	}
	if a.chanceOf(33) {
		var b strings.Builder
		for _, e := range solved[:2] {
			fmt.Fprintf(&b, "%s -> %s\n", e.Question, e.Answer)
		}
		return a.quizPrompt(b.String()+query.Question+" ->", query.Answer, query.Choices)
	}
	return a.quizPrompt(fmt.Sprintf(a.one(quizzes[name]...), query.Question), query.Answer, query.Choices)
}

func (a *author) quizPrompt(question, answer string, choices []string) (Prompt, bool) {
	t := Truth{Answer: answer}
	for _, c := range choices {
		if c != answer {
			t.Near = append(t.Near, c)
		}
	}
	return Prompt{Messages: user(question), Demonstration: answer, Truth: t}, true
}
