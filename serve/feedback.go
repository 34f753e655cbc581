package serve

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"tinygpt/data/instruct"
	"tinygpt/internal/atomicfile"
)

// Feedback appends what users think of answers to a file of JSON lines, in the form
// that reward and preference training read.
type Feedback struct {
	Path string
	mu   sync.Mutex
}

// Add checks a record, appends it as a line, and returns when it is on the disk.
func (l *Feedback) Add(record instruct.Record) error {
	if _, err := record.Example(); err != nil {
		return err
	}
	record.Time = time.Now().UTC().Format(time.RFC3339)
	l.mu.Lock()
	defer l.mu.Unlock()
	lines, err := atomicfile.OpenLines(l.Path)
	if err != nil {
		return err
	}
	defer lines.Close()
	if err := lines.Add(record); err != nil {
		return err
	}
	return lines.Sync()
}

// takeFeedback is /v1/feedback. Its body is an instruct.Record with a model's name.
func (s *Server) takeFeedback(w http.ResponseWriter, r *http.Request) *apiError {
	f, err := s.fieldsOf(r)
	if err != nil {
		return err
	}
	m := s.modelOf(f)
	if f.err != nil {
		return f.err
	}
	if m.Feedback == nil {
		return fail(http.StatusNotFound, "model", "", "the model %q keeps no feedback", m.Name)
	}
	body, _ := json.Marshal(f.raw)
	var record instruct.Record
	if err := json.Unmarshal(body, &record); err != nil {
		return invalid("", "not a record of feedback: %s", jsonReason(err))
	}
	record.Model = m.Name
	if _, err := record.Example(); err != nil {
		return invalid("", "not a record of feedback: %v", err)
	}
	if err := m.Feedback.Add(record); err != nil {
		return fail(http.StatusInternalServerError, "", "", "%v", err)
	}
	return reply(w, map[string]any{"object": "feedback", "model": m.Name})
}
