package serve

import (
	"slices"
	"strings"
	"time"

	"tinygpt/chat"
	"tinygpt/model"
	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// Model is a model that is served.
type Model struct {
	Name   string // under which requests ask for it
	Config model.Config
	// Decoder returns a new decoder for this number of sequences.
	Decoder   func(sequences int) sample.Decoder
	Tokenizer tokenizer.Tokenizer
	Template  chat.Template // how a conversation becomes a prompt
	Created   time.Time
	// Fingerprint is the API's system_fingerprint: another one says that the same request with
	// the same seed may give another text.
	Fingerprint string
	// Reward scores an answer to a conversation. It is nil unless the model is a reward model,
	// which writes no texts.
	Reward func(messages []chat.Message, answer string) (float64, error)
	// Feedback keeps what users think of answers; nil: none is kept.
	Feedback *chat.Feedback

	engine  *engine
	longest int // bytes of the longest token, or of a special token's name
}

// longestToken returns the length of the longest token, and of a special token's name.
func longestToken(t tokenizer.Tokenizer) (n int) {
	for id := range int32(t.VocabSize()) {
		n = max(n, len(t.Bytes(id)))
	}
	for _, s := range t.SpecialTokens() {
		n = max(n, len(s.Name))
	}
	return n
}

func (m *Model) context() int { return m.Config.Context }

// ends returns the tokens that end a text.
func (m *Model) ends() []int32 {
	if end := m.Tokenizer.EndOfText(); end >= 0 {
		return []int32{end}
	}
	return nil
}

// generates reports whether the model writes texts.
func (m *Model) generates() bool { return m.Reward == nil }

// find returns the model of that name, nil if there is none.
func (s *Server) find(name string) *Model {
	if i := slices.IndexFunc(s.models, func(m *Model) bool { return m.Name == name }); i >= 0 {
		return s.models[i]
	}
	return nil
}

func (s *Server) modelNames() string {
	var names []string
	for _, m := range s.models {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}

// modelObject describes a model as the API does.
type modelObject struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
	// The members from here on are not in OpenAI's API.
	Context    int    `json:"context"`
	Vocabulary int    `json:"vocabulary"`
	Template   string `json:"template,omitempty"`
	Reward     bool   `json:"reward"`
	Feedback   bool   `json:"feedback"`
}

func (m *Model) object() modelObject {
	o := modelObject{
		ID: m.Name, Object: "model", Created: m.Created.Unix(), OwnedBy: "local",
		Context: m.context(), Vocabulary: m.Tokenizer.VocabSize(), Reward: m.Reward != nil, Feedback: m.Feedback != nil,
	}
	if m.Template != nil {
		o.Template = m.Template.Name()
	}
	return o
}
