package serve

import (
	"encoding/json"
	"net/http"

	"tinygpt/data/instruct"
)

// takeFeedback answers /v1/feedback, whose body is an instruct.Record with a model's name.
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
