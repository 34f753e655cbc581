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
	Name   string // by which requests ask for it
	Config model.Config
	// Decoder makes a decoder of a number of sequences.
	Decoder   func(sequences int) sample.Decoder
	Tokenizer tokenizer.Tokenizer
	Template  chat.Template // how a conversation becomes a prompt
	Created   time.Time
	// Fingerprint changes when the same request and seed could give another text.
	Fingerprint string
	// Reward scores an answer to a conversation; nil if the model isn't a reward model.
	Reward func(messages []chat.Message, answer string) (float64, error)
	// Feedback takes what users think of answers; nil refuses it.
	Feedback *chat.Feedback

	engine *engine
}

func (m *Model) context() int { return m.Config.Context }

// ends are the tokens that end a text.
func (m *Model) ends() []int32 {
	if end := m.Tokenizer.EndOfText(); end >= 0 {
		return []int32{end}
	}
	return nil
}

// generates reports whether the model writes texts.
func (m *Model) generates() bool { return m.Reward == nil }

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
	// Further members are this server's own.
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
