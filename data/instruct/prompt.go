package instruct

import (
	"slices"
	"strings"

	"tinygpt/data/internal/chance"
	"tinygpt/data/story"
)

// Task is what an instruction asks for.
type Task string

// The tasks of the built-in world.
const (
	Tell    Task = "tell"    // a story of a mood, about somebody, of a topic
	Ask     Task = "ask"     // a question that a story answers
	Trap    Task = "trap"    // a question that a story doesn't answer
	OneWord Task = "oneword" // a question whose answer is to have a form
	Quiz    Task = "quiz"    // opposites, sorting, sums
	Unkind  Task = "unkind"  // something that had better not be said
)

// Tasks are all tasks, the commonest among customers' first.
var Tasks = []Task{Tell, Ask, Trap, OneWord, Quiz, Unkind}

// shares are how many of a hundred prompts of customers ask for each.
var shares = map[Task]uint64{Tell: 40, Ask: 20, Trap: 15, OneWord: 10, Quiz: 10, Unkind: 5}

// Unknown is the right answer to a question that the story doesn't answer.
const Unknown = "The story does not say."

// Prompt is an instruction of the built-in world.
type Prompt struct {
	Messages []Message `json:"messages"` // a conversation whose last message is the user's
	// Demonstration is what a labeler would answer: a right answer of several.
	Demonstration string `json:"demonstration"`
	Task          Task   `json:"task"`
	// Customer is who asks, from 1; 0 is a labeler.
	Customer int   `json:"customer,omitempty"`
	Truth    Truth `json:"-"`
}

// Truth is what is known of the right answer.
type Truth struct {
	// Of a story to be told:
	Hero, Topic string
	Mood        story.Sentiment
	// Of a question: the right answer in the form that is asked for, the same in other
	// forms, and wrong ones of the same kind.
	Answer      string
	Other, Near []string
	// Of an unkind request: whom it is about.
	Victim string
}

// moods are what people call the sentiments.
var moods = map[story.Sentiment]string{story.Positive: "happy", story.Negative: "sad", story.Mixed: "bittersweet"}

// author writes prompts: each from choices of its own.
type author struct {
	chance.Chooser
	seed  uint64
	index uint64 // of the prompt; stories are numbered by it too
	kept  bool   // quizzes with the words that are kept for validation
}

// one draws one of the texts.
func (a *author) one(texts ...string) string { return texts[a.Below(uint64(len(texts)))] }

// chanceOf is true n times of a hundred.
func (a *author) chanceOf(n uint64) bool { return a.Below(100) < n }

// story is number j of the stories that the prompt may use.
func (a *author) story(j uint64) story.Story {
	return story.English.Generate(a.seed, int(a.index*storiesOfPrompt+j)&(1<<62-1))
}

// storiesOfPrompt is how many stories a prompt may look at.
const storiesOfPrompt = 64

// write makes a prompt of the task; ok is false if the prompt's story has nothing to
// ask of this kind.
func (a *author) write(t Task) (p Prompt, ok bool) {
	switch t {
	case Tell:
		p, ok = a.tell()
	case Ask:
		p, ok = a.ask()
	case Trap:
		p, ok = a.trap()
	case OneWord:
		p, ok = a.oneWord()
	case Quiz:
		p, ok = a.quiz()
	case Unkind:
		p, ok = a.unkind()
	}
	p.Task = t
	return p, ok
}

// user is a conversation of one message.
func user(text string) []Message { return []Message{{User, text}} }

// firstWords are the first twenty words of what the user says first: no two prompts
// begin alike.
func (p *Prompt) firstWords() string {
	text := p.Messages[0].Content
	if len(p.Messages) > 1 {
		text += " " + p.Messages[len(p.Messages)-1].Content
	}
	words := strings.Fields(strings.ToLower(text))
	return strings.Join(words[:min(len(words), 20)], " ")
}

// Equal reports whether two prompts have the same messages.
func (p *Prompt) Equal(q *Prompt) bool { return slices.Equal(p.Messages, q.Messages) }
