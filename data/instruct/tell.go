package instruct

import (
	"fmt"
	"strings"
	"sync"

	"tinygpt/data/story"
)

// tell asks for a story; the demonstration is one that the grammar has told. A third
// go on: the user asks something about the story, or wants it to end otherwise.
func (a *author) tell() (Prompt, bool) {
	s := a.story(0)
	l := s.Labels()
	p := tellPrompt(l, s.Text)
	verb := a.one("Tell", "Tell me", "Write", "Write me", "Make up", "Give me")
	kind := a.one("story", "tale", "little story", "short story")
	form := a.one("%s a %s %s about %s: %s.", "%s a %s %s about %s. It is about %s.", "Please %s a %s %s with %s and %s.",
		"%s a %s %s. Its hero is %s, and it is about %s.")
	if strings.HasPrefix(form, "Please") {
		verb = strings.ToLower(verb)
	}
	p.Messages = user(fmt.Sprintf(form, verb, moods[l.Sentiment], kind, l.Hero, l.Topic))
	if a.chanceOf(67) {
		return p, true
	}
	told := say(p.Messages, Assistant, s.Text)
	if a.chanceOf(50) && len(l.Questions) > 0 {
		q := l.Questions[a.Below(uint64(len(l.Questions)))]
		return Prompt{Messages: say(told, User, q.Text), Demonstration: q.Answer, Truth: Truth{Answer: q.Answer, Near: q.Wrong}}, true
	}
	mood := story.Positive
	if l.Sentiment == story.Positive {
		mood = story.Negative
	}
	others := retold()[key{l.Hero, l.Topic, mood}]
	if len(others) == 0 {
		return p, true
	}
	p = tellPrompt(story.Labels{Hero: l.Hero, Topic: l.Topic, Sentiment: mood}, others[a.Below(uint64(len(others)))])
	p.Messages = say(told, User, fmt.Sprintf(a.one("Make it %s.", "Now make it %s.", "Tell it again, but %s.", "I want it %s."), moods[mood]))
	return p, true
}

func tellPrompt(l story.Labels, text string) Prompt {
	return Prompt{Demonstration: text, Truth: Truth{Hero: l.Hero, Topic: l.Topic, Mood: l.Sentiment}}
}

// key is what a request for a story names.
type key struct {
	hero, topic string
	mood        story.Sentiment
}

// poolSeed is the seed of the stories that are told again, poolSize their number.
const (
	poolSeed = 0x7e11
	poolSize = 6000
)

// retold are short stories by the requests that they fit.
var retold = sync.OnceValue(func() map[key][]string {
	pool := map[key][]string{}
	for i := range poolSize {
		s := story.English.Generate(poolSeed, i)
		if len(s.Text) > 330 { // two of them must fit into a conversation
			continue
		}
		l := s.Labels()
		k := key{l.Hero, l.Topic, l.Sentiment}
		pool[k] = append(pool[k], s.Text)
	}
	return pool
})
