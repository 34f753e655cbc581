package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// apiError is an error in the shape of OpenAI's API, with its HTTP status.
type apiError struct {
	status     int
	retryAfter int // seconds; 0: none

	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func (e *apiError) Error() string { return e.Message }

// errorType returns the API's type of errors with an HTTP status.
func errorType(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status >= 500:
		return "server_error"
	}
	return "invalid_request_error"
}

// fail returns an error with a message. param names the parameter that it is about, code is the
// API's code; both may be empty.
func fail(status int, param, code, format string, args ...any) *apiError {
	e := &apiError{status: status, Message: fmt.Sprintf(format, args...), Type: errorType(status)}
	if param != "" {
		e.Param = &param
	}
	if code != "" {
		e.Code = &code
	}
	return e
}

// invalid returns the error of a parameter with a wrong value.
func invalid(param, format string, args ...any) *apiError {
	return fail(http.StatusBadRequest, param, "", format, args...)
}

// unsupported returns the error of a parameter that this server doesn't have.
func unsupported(param, format string, args ...any) *apiError {
	return fail(http.StatusBadRequest, param, "unsupported_parameter", format, args...)
}

// envelope returns the body of an answer with the error.
func (e *apiError) envelope() []byte {
	b, _ := json.Marshal(struct {
		Error *apiError `json:"error"`
	}{e})
	return b
}

// write answers a request with the error.
func (e *apiError) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if e.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	w.WriteHeader(e.status)
	w.Write(append(e.envelope(), '\n'))
}
