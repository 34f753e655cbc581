package finetune

import (
	"maps"
	"slices"

	"tinygpt/data/labelled"
)

// task is a transform of examples into sequences for the model (Radford et al. 2018,
// section 3.3). Each has a file of its own.
type task struct {
	// kind is what its examples consist of.
	kind labelled.Kind
	// arrange turns the tokens of an example into sequences.
	arrange func(b *sequenceBuilder, p parts) [][]int32
	// groups is the number of sequences of an example whose states are added up; 0 means
	// that the state of every token is read.
	groups int
	// head returns the head for a setup.
	head func(s *Setup) head
	// grades says whether labels may be grades.
	grades bool
}

// parts has the tokens of an example's parts.
type parts struct {
	texts, choices, words [][]int32
}

// tasks are all transforms by name. A new one is a file and a line here.
var tasks = map[string]task{
	"classification": classification,
	"entailment":     entailment,
	"similarity":     similarity,
	"choice":         choice,
	"tagging":        tagging,
}

// Tasks lists the names of the tasks.
func Tasks() []string { return slices.Sorted(maps.Keys(tasks)) }

// Kind returns what the examples of the task consist of.
func (c Config) Kind() labelled.Kind { return tasks[c.Task].kind }

// classesOrGrades returns the head that the configuration asks for.
func classesOrGrades(s *Setup) head {
	if s.Head == Regression {
		return &grades{mean: s.Mean, deviation: s.Deviation}
	}
	return &classes{oneOf[labelled.Classes]{s.Classes}}
}

// SequenceLabels returns the names of the head's outputs if the head reads the last state
// of a single sequence, as the classifiers of other programs do; else nil. A head with one
// output, for grades or for the score of a choice, has one label.
func (s *Setup) SequenceLabels() []string {
	switch {
	case tasks[s.Task].groups != 1:
		return nil
	case tasks[s.Task].kind == labelled.Choice:
		return []string{"score"}
	case s.Head == Regression:
		return []string{"grade"}
	}
	return s.Classes
}

// Input shows how the text of a sequence is written with the special tokens around it.
func (s *Setup) Input() string {
	switch tasks[s.Task].kind {
	case labelled.Pair:
		return StartName + "FIRST TEXT" + DelimiterName + "SECOND TEXT" + ExtractName
	case labelled.Choice:
		return StartName + "TEXT" + DelimiterName + "CHOICE" + ExtractName + ", for each choice"
	}
	return StartName + "TEXT" + ExtractName
}
