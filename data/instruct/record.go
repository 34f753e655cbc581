package instruct

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"tinygpt/internal/userfile"
)

// Record is one line of a file of JSON lines: a demonstration, a pair, or a ranking.
// The prompt is given as Messages or Conversations, as Prompt, or as Instruction with an
// optional Input; a conversation whose last message is the assistant's is a demonstration.
// Keys that Record has no field for are passed over.
type Record struct {
	Messages      []Message     `json:"messages,omitempty"`
	Conversations Conversations `json:"conversations,omitempty"`
	Prompt        Texts         `json:"prompt,omitzero"`
	Instruction   string        `json:"instruction,omitempty"`
	Input         string        `json:"input,omitempty"`

	// Of a demonstration: the answer.
	Response   string `json:"response,omitempty"`
	Completion Texts  `json:"completion,omitzero"`
	Output     string `json:"output,omitempty"`
	// For a pair: the answer that was preferred, and the other.
	Chosen   Texts `json:"chosen,omitzero"`
	Rejected Texts `json:"rejected,omitzero"`
	// For a ranking: K answers and their ranks; the smaller rank is better, equal ones
	// are a tie. For a thumb: one answer, of any of these keys, and whether it was good.
	Answers []string `json:"answers,omitempty"`
	Ranks   []int    `json:"ranks,omitempty"`
	Label   *bool    `json:"label,omitempty"`

	// Where the record is from; it may be absent.
	Model   string `json:"model,omitempty"`
	Time    string `json:"time,omitempty"` // RFC 3339
	Seed    uint64 `json:"seed,omitempty"`
	Labeler int    `json:"labeler,omitempty"`
}

// Conversations are messages as ShareGPT has them, with the keys from and value, in which
// human and gpt take turns.
type Conversations []Message

// UnmarshalJSON reads the messages under our names for the roles; others stay as they are.
func (c *Conversations) UnmarshalJSON(b []byte) error {
	var turns []struct{ From, Value string }
	if err := json.Unmarshal(b, &turns); err != nil {
		return err
	}
	*c = nil
	for _, t := range turns {
		role := Role(t.From)
		switch t.From {
		case "human":
			role = User
		case "gpt":
			role = Assistant
		}
		*c = append(*c, Message{role, t.Value})
	}
	return nil
}

// Texts is a text, or a list of messages, as trl's datasets have either for a prompt
// and its answers.
type Texts struct {
	Text     string
	Messages []Message
}

// IsZero reports whether there is nothing.
func (t Texts) IsZero() bool { return t.Text == "" && t.Messages == nil }

// MarshalJSON writes what UnmarshalJSON reads.
func (t Texts) MarshalJSON() ([]byte, error) {
	if t.Messages != nil {
		return json.Marshal(t.Messages)
	}
	return json.Marshal(t.Text)
}

// UnmarshalJSON reads a string or a list of messages.
func (t *Texts) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, &t.Messages)
	}
	return json.Unmarshal(b, &t.Text)
}

// answer is the text, or the assistant's last message.
func (t Texts) answer() string {
	if n := len(t.Messages); n > 0 && t.Messages[n-1].Role == Assistant {
		return t.Messages[n-1].Content
	}
	return t.Text
}

// Example is a record that was understood: a prompt with one answer or several.
type Example struct {
	Prompt  []Message
	Answers []string
	// Ranks of the answers: the smaller is better, equal ones are a tie. A
	// demonstration has one answer of rank 0.
	Ranks []int
	// Bad says of a single answer that it was called bad: it is no demonstration.
	Bad bool
}

// Demonstration says whether the example shows how to answer.
func (e *Example) Demonstration() bool { return len(e.Answers) == 1 && !e.Bad }

// Comparison says whether the example says which answer is better: two different
// answers of different ranks at least.
func (e *Example) Comparison() bool { return len(e.Pairs()) > 0 }

// Pairs are the pairs (better, worse) of answers. Ties and equal answers are left out.
func (e *Example) Pairs() (pairs [][2]int) {
	for i := range e.Answers {
		for j := range e.Answers {
			if e.Ranks[i] < e.Ranks[j] && e.Answers[i] != e.Answers[j] {
				pairs = append(pairs, [2]int{i, j})
			}
		}
	}
	return pairs
}

// MostAnswers is how many answers a record may have: all pairs of them are compared.
const MostAnswers = 32

// Example returns what a record holds, or says what is missing.
func (r *Record) Example() (e Example, err error) {
	prompt, answer := r.prompt()
	switch {
	case !r.Chosen.IsZero() || !r.Rejected.IsZero():
		if r.Chosen.IsZero() || r.Rejected.IsZero() {
			return e, errors.New(`a pair needs both keys "chosen" and "rejected"`)
		}
		e.Answers, e.Ranks = []string{r.Chosen.answer(), r.Rejected.answer()}, []int{0, 1}
		if n := len(r.Chosen.Messages); len(prompt) == 0 && n > 1 { // the prompt is part of both
			prompt = r.Chosen.Messages[:n-1]
		}
	case len(r.Answers) > MostAnswers:
		return e, fmt.Errorf("%d answers: expected up to %d", len(r.Answers), MostAnswers)
	case len(r.Answers) > 0:
		e.Answers = r.Answers
		switch {
		case r.Label != nil && len(r.Answers) == 1:
			e.Ranks, e.Bad = []int{0}, !*r.Label
		case len(r.Ranks) != len(r.Answers):
			return e, fmt.Errorf("%d ranks for %d answers: expected one for each, the smaller the better", len(r.Ranks), len(r.Answers))
		default:
			e.Ranks = r.Ranks
		}
	default:
		for _, text := range []string{r.Response, r.Completion.answer(), r.Output} {
			if text != "" {
				answer = text
			}
		}
		if answer == "" {
			return e, errors.New(`no answer: expected "response" (or "output"), "chosen" and "rejected", "answers" with "ranks", or messages that end with the assistant's`)
		}
		e.Answers, e.Ranks = []string{answer}, []int{0}
		e.Bad = r.Label != nil && !*r.Label
	}
	e.Prompt = prompt
	return e, CheckPrompt(prompt)
}

// prompt is the conversation up to the user's last word, and the answer after it if
// there is one.
func (r *Record) prompt() (prompt []Message, answer string) {
	switch {
	case len(r.Messages) > 0:
		prompt = r.Messages
	case len(r.Conversations) > 0:
		prompt = r.Conversations
	case len(r.Prompt.Messages) > 0:
		prompt = r.Prompt.Messages
	case r.Prompt.Text != "":
		prompt = []Message{{User, r.Prompt.Text}}
	case r.Instruction != "" && r.Input != "":
		prompt = []Message{{User, r.Instruction + "\n" + r.Input}}
	case r.Instruction != "":
		prompt = []Message{{User, r.Instruction}}
	}
	if n := len(prompt); n > 1 && prompt[n-1].Role == Assistant {
		return prompt[:n-1], prompt[n-1].Content
	}
	return prompt, ""
}

// Read reads the examples of a file of JSON lines, gzipped if its name ends in .gz.
// Empty lines are passed over. Errors name file and line.
func Read(path string) (examples []Example, err error) {
	f, err := userfile.OpenText(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Parse(f, path)
}

// Parse reads JSON lines; name is for errors.
func Parse(r io.Reader, name string) (examples []Example, err error) {
	err = eachRecord(r, name, func(record *Record) error {
		e, err := record.Example()
		examples = append(examples, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return examples, nil
}

// eachRecord calls do with each line, or with each element if the file is one JSON array.
// Its errors, and those of lines that are none, say which line it is; a file without any is
// an error.
func eachRecord(r io.Reader, name string, do func(*Record) error) error {
	buffer := bufio.NewReader(r)
	found := false
	each := func(line int, text []byte) error {
		found = true
		if !utf8.Valid(text) { // which encoding/json would replace without a word
			return fmt.Errorf("%s:%d: not UTF-8, which JSON is written in: save the file as UTF-8", name, line)
		}
		var record Record
		if err := json.Unmarshal(text, &record); err != nil {
			return fmt.Errorf("%s:%d: not a JSON object of an instruction: %w", name, line, err)
		}
		if err := do(&record); err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		return nil
	}
	var err error
	if begin, _ := buffer.Peek(1 << 10); bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(begin, []byte(userfile.ByteOrderMark))), []byte("[")) {
		err = eachElement(buffer, name, each)
	} else {
		err = userfile.EachLine(buffer, name, each)
	}
	if err == nil && !found {
		err = fmt.Errorf("%s: no line in it: expected a JSON object a line", name)
	}
	return err
}

// eachElement calls do with the elements of an array.
func eachElement(r io.Reader, name string, do func(line int, text []byte) error) error {
	all, err := userfile.ReadAll(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	all = bytes.TrimPrefix(all, []byte(userfile.ByteOrderMark))
	d := json.NewDecoder(bytes.NewReader(all))
	number, counted := 1, int64(0) // the line of that offset
	line := func() int {
		number += bytes.Count(all[counted:d.InputOffset()], []byte("\n"))
		counted = d.InputOffset()
		return number
	}
	if _, err := d.Token(); err != nil { // the bracket
		return fmt.Errorf("%s: %w", name, err)
	}
	for d.More() {
		var text json.RawMessage
		if err := d.Decode(&text); err != nil {
			return fmt.Errorf("%s:%d: not a JSON array: %w", name, line(), err)
		}
		if err := do(line(), text); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("%s:%d: the array isn't closed: %w", name, line(), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%s:%d: more after the array: expected one, or a JSON object a line", name, line())
	}
	return nil
}

// Write writes examples as lines that Parse reads.
func Write(w io.Writer, examples []Example) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for _, e := range examples {
		r := Record{Messages: e.Prompt, Answers: e.Answers, Ranks: e.Ranks}
		switch {
		case e.Demonstration():
			r = Record{Messages: say(e.Prompt, Assistant, e.Answers[0])}
		case e.Bad:
			bad := false
			r.Ranks, r.Label = nil, &bad
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// Select returns the examples that keep is true of.
func Select(examples []Example, keep func(*Example) bool) []Example {
	return slices.DeleteFunc(slices.Clone(examples), func(e Example) bool { return !keep(&e) })
}

// ReadPrompts reads the prompts of a file of JSON lines, whatever else the lines have:
// what a policy is to answer.
func ReadPrompts(path string) (prompts [][]Message, err error) {
	f, err := userfile.OpenText(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = eachRecord(f, path, func(r *Record) error {
		prompt, _ := r.prompt()
		prompts = append(prompts, prompt)
		return CheckPrompt(prompt)
	})
	return prompts, err
}
