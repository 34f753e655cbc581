package instruct

import (
	"slices"
	"strings"

	"tinygpt/data/story"
)

// ask asks a question that the story answers.
func (a *author) ask() (Prompt, bool) {
	s := a.story(0)
	questions := s.Labels().Questions
	if len(questions) == 0 {
		return Prompt{}, false
	}
	q := questions[a.Below(uint64(len(questions)))]
	return Prompt{Messages: user(s.Text + "\n" + q.Text), Demonstration: q.Answer, Truth: Truth{Answer: q.Answer, Near: q.Wrong}}, true
}

// trap asks something that the story doesn't say: a question of another story about
// somebody or something that this one doesn't mention, or why its hero felt as nobody
// in it did.
func (a *author) trap() (Prompt, bool) {
	s := a.story(0)
	l := s.Labels()
	trapped := func(question string) (Prompt, bool) {
		return Prompt{Messages: user(s.Text + "\n" + question), Demonstration: Unknown, Truth: Truth{Answer: Unknown}}, true
	}
	if a.chanceOf(30) {
		if feeling := a.one("angry", "ashamed", "lonely", "proud", "afraid"); !strings.Contains(s.Text, feeling) &&
			!slices.ContainsFunc(l.Questions, func(q story.Question) bool { return q.Answer == feeling || strings.HasSuffix(q.Text, feeling+"?") }) {
			return trapped("Why was " + l.Hero + " " + feeling + "?")
		}
	}
	for j := uint64(1); j < storiesOfPrompt; j++ {
		other := a.story(j)
		for _, q := range other.Labels().Questions {
			if subject := subjectOf(q); subject != "" && !strings.Contains(s.Text, subject) {
				return trapped(q.Text)
			}
		}
	}
	return Prompt{}, false
}

// frames are the words before and after the subject of a question.
var frames = map[story.QuestionKind][2]string{
	story.Who:   {"Who has ", " at the end?"},
	story.Where: {"Where is ", " at the end?"},
	story.Feels: {"How does ", " feel at the end?"},
}

// asked is what a question is about, in its own words: "the ball", "Tom"; "" if it asks
// why.
func asked(q story.Question) string {
	f, ok := frames[q.Kind]
	if !ok {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(q.Text, f[0]), f[1])
}

// subjectOf is what asked returns, without its article.
func subjectOf(q story.Question) string { return strings.TrimPrefix(asked(q), "the ") }

// oneWord asks a question and says in what form the answer is wanted.
func (a *author) oneWord() (Prompt, bool) {
	s := a.story(0)
	var fitting []story.Question
	for _, q := range s.Labels().Questions {
		if q.Kind != story.Why {
			fitting = append(fitting, q)
		}
	}
	if len(fitting) == 0 {
		return Prompt{}, false
	}
	q := fitting[a.Below(uint64(len(fitting)))]
	word, sentence := forms(q)
	t := Truth{Answer: word, Other: []string{q.Answer, sentence}, Near: q.Wrong}
	wish := a.one("Answer in one word.", "One word, please.", "Say it in one word.")
	if a.chanceOf(50) || q.Kind == story.Where {
		t.Answer, t.Other = sentence, []string{q.Answer, word}
		wish = a.one("Answer in a sentence.", "Answer with a whole sentence.", "Say it in a sentence.")
	}
	t.Other = slices.DeleteFunc(t.Other, func(other string) bool { return other == t.Answer })
	return Prompt{Messages: user(s.Text + "\n" + q.Text + " " + wish), Demonstration: t.Answer, Truth: t}, true
}

// forms are a question's answer as one word and as a sentence.
func forms(q story.Question) (word, sentence string) {
	word = strings.TrimPrefix(q.Answer, "the ")
	switch about := asked(q); q.Kind {
	case story.Who:
		sentence = q.Answer + " has " + about + " at the end."
	case story.Where:
		fields := strings.Fields(q.Answer)
		word = fields[len(fields)-1]
		sentence = about + " is " + q.Answer + " at the end."
	case story.Feels:
		sentence = about + " feels " + q.Answer + " at the end."
	}
	return word, strings.ToUpper(sentence[:1]) + sentence[1:]
}
