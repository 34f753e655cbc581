package serve

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"tinygpt/sample"
)

// result is a whole text.
type result struct {
	piece
	ending
	all strings.Builder
}

// usage counts tokens.
type usage struct {
	PromptTokens        int            `json:"prompt_tokens"`
	CompletionTokens    int            `json:"completion_tokens"`
	TotalTokens         int            `json:"total_tokens"`
	PromptTokensDetails map[string]int `json:"prompt_tokens_details"`
}

func newUsage(prompt, cached, drawn int) *usage {
	return &usage{prompt, drawn, prompt + drawn, map[string]int{"cached_tokens": cached}}
}

// start submits requests as a job: each step of a text becomes an event of the job. The job's
// context ends with the client's connection, when the caller calls the returned function, or
// when the server stops waiting at shutdown. A full queue and a server that is shutting down
// are errors.
func (s *Server) start(r *http.Request, g *generation, requests []sample.Request) (*job, context.CancelFunc, *apiError) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(s.abort, cancel)
	release := func() { stop(); cancel() }
	e := g.model.engine
	var j *job
	begun := make(chan struct{})
	for i := range requests {
		t := newTracker(g.model.Tokenizer, g.wanted, requests[i].End, g.lead)
		requests[i].OnToken = func(step *sample.Step) bool {
			<-begun
			j.events.add(event{index: i, piece: t.next(step)})
			return true
		}
	}
	j, err := e.submit(ctx, requests)
	close(begun)
	if err == nil {
		return j, release, nil
	}
	release()
	if errors.Is(err, errBusy) {
		busy := fail(http.StatusTooManyRequests, "", "rate_limit_exceeded", "too many requests are waiting: try again in a moment")
		busy.retryAfter = e.retryAfter()
		return nil, nil, busy
	}
	closed := fail(http.StatusServiceUnavailable, "", "", "%v", err)
	closed.retryAfter = 5
	return nil, nil, closed
}

// each calls do with a job's events until all its texts have ended, and idle each time that
// nothing has come for a while. It ends at the first error of either, which it returns.
func (j *job) each(do func(event) *apiError, idle func() *apiError) *apiError {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for left := len(j.requests); left > 0; {
		select {
		case <-j.events.changed:
		case <-timer.C:
			if err := idle(); err != nil {
				return err
			}
		}
		timer.Reset(quiet)
		for _, e := range j.events.take() {
			if e.ending != nil {
				left--
			}
			if err := do(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// quiet is the time without events after which a stream sends a comment: proxies close
// connections over which nothing comes.
const quiet = 15 * time.Second

// broken returns the error to answer with when a text broke off with err; nil if err is nil.
func (s *Server) broken(r *http.Request, err error) *apiError {
	switch {
	case err == nil:
		return nil
	case r.Context().Err() != nil:
		return errGone
	case s.abort.Err() != nil:
		return fail(http.StatusServiceUnavailable, "", "", "%v", errClosing)
	}
	return fail(http.StatusInternalServerError, "", "", "%v", err)
}

// collect draws the texts of the requests and returns them when all have ended.
func (s *Server) collect(r *http.Request, g *generation, requests []sample.Request) ([]*result, *apiError) {
	j, release, err := s.start(r, g, requests)
	if err != nil {
		return nil, err
	}
	defer release()
	results := make([]*result, len(requests))
	for i := range results {
		results[i] = &result{}
	}
	err = j.each(func(e event) *apiError {
		t := results[e.index]
		if e.ending != nil {
			t.ending = *e.ending
			return s.broken(r, e.err)
		}
		t.all.WriteString(e.text)
		t.tokens = append(t.tokens, e.tokens...)
		return nil
	}, func() *apiError { return nil })
	if err != nil {
		return nil, err
	}
	for _, t := range results {
		t.text = t.all.String()
	}
	if s.LogPrompts {
		for _, t := range results {
			s.Log.Info("answer", "text", t.text)
		}
	}
	return results, nil
}

// finishReason returns why a text ended, in the API's words.
func finishReason(f sample.Finish) string {
	if f == sample.Length {
		return "length"
	}
	return "stop"
}

// stream answers a request with server-sent events.
type stream struct {
	w     http.ResponseWriter
	out   *http.ResponseController
	begun bool
}

// writeTimeout is how long a client may take to read what was written.
var writeTimeout = 30 * time.Second

func newStream(w http.ResponseWriter) *stream {
	return &stream{w: w, out: http.NewResponseController(w)}
}

// write sends bytes without delay, after the header if they are the first.
func (s *stream) write(parts ...[]byte) *apiError {
	if !s.begun {
		s.begun = true
		h := s.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("X-Accel-Buffering", "no") // proxies hold back answers otherwise
		s.w.WriteHeader(http.StatusOK)
	}
	for _, p := range parts {
		if _, err := s.w.Write(p); err != nil {
			return errGone
		}
	}
	if s.out.Flush() != nil {
		return errGone
	}
	return nil
}

// send sends one event.
func (s *stream) send(v any) *apiError {
	return s.write([]byte("data: "), mustJSON(v), []byte("\n\n"))
}

// idle sends a comment, which clients ignore.
func (s *stream) idle() *apiError { return s.write([]byte(": waiting\n\n")) }

// fail ends a stream with an error: if it has begun, as its last event; otherwise it returns the
// error to answer with.
func (s *stream) fail(err *apiError) *apiError {
	if err == errGone || !s.begun {
		return err
	}
	_ = s.write([]byte("data: "), err.envelope(), []byte("\n\n"))
	return nil
}

// done sends the end of a stream.
func (s *stream) done() *apiError { return s.write([]byte("data: [DONE]\n\n")) }
