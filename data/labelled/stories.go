package labelled

import (
	"fmt"

	"tinygpt/data/story"
)

// StoryLabels are what the built-in stories can be labelled with: how they turn out,
// what they are about, questions that they answer (of Choice), people, places and
// things (of Tagged).
var StoryLabels = []string{"sentiment", "topic", "questions", "entities"}

// StoryKind is what the examples of a story label consist of.
func StoryKind(label string) Kind {
	return map[string]Kind{"questions": Choice, "entities": Tagged}[label]
}

// The labelled stories have a seed of their own, so that they are in no corpus to train
// on.
const storySeed = 0x6c6162656c6c6564

// Numbers of stories for training, development and test.
const (
	trainStories = 2000
	devStories   = 500
	testStories  = 1000
)

// Stories returns examples from the built-in stories of a language with that label. A story's text
// has one derivation only and so determines the label: the best possible accuracy is
// 1 of whole stories.
func Stories(l *story.Language, label string) (train, dev, test []Example) {
	index := 0
	take := func(stories int) (out []Example) {
		for range stories {
			out = append(out, storyExamples(l, label, index)...)
			index++
		}
		return out
	}
	return take(trainStories), take(devStories), take(testStories)
}

func storyExamples(l *story.Language, label string, index int) (out []Example) {
	s := l.Generate(storySeed, index)
	labels := s.Labels()
	e := Example{File: "built-in stories", Line: index + 1, Texts: []string{s.Text}}
	switch label {
	case "sentiment":
		e.Label = string(labels.Sentiment)
	case "topic":
		e.Label = labels.Topic
	case "questions":
		for i, q := range labels.Questions {
			right := (index + i) % (1 + len(q.Wrong))
			ask := e
			ask.Texts = []string{s.Text + "\n" + q.Text}
			ask.Choices = append(ask.Choices, q.Wrong[:right]...)
			ask.Choices = append(append(ask.Choices, q.Answer), q.Wrong[right:]...)
			ask.Label = fmt.Sprint(right)
			out = append(out, ask)
		}
		return out
	case "entities":
		e.Texts = nil
		e.Tokens, e.Tags = storyTags(s.Text, s.Words(), labels.Entities)
	}
	return []Example{e}
}

// storyTags returns the words of a story, punctuation with them where it is written so;
// a word with a mention of an entity in it has the entity's tag.
func storyTags(text string, words []story.Span, entities []story.Entity) (tokens, tags []string) {
	for _, w := range words {
		tag := Outside
		for _, e := range entities {
			for _, m := range e.Mentions {
				switch {
				case m.Start >= w.End || m.End <= w.Start:
				case m.Start >= w.Start:
					tag = "B-" + string(e.Kind)
				default:
					tag = "I-" + string(e.Kind)
				}
			}
		}
		tokens, tags = append(tokens, text[w.Start:w.End]), append(tags, tag)
	}
	return tokens, tags
}
