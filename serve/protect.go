package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// protect wraps a handler with what keeps others away from a server on one's own
// computer. Web pages that the user visits can send requests to it too:
//
//   - Host must name this computer, so that a page can't reach the server through a
//     name of its own that it has pointed here (DNS rebinding).
//   - Origin, which browsers send with other pages' requests, must be the server's.
//   - Bodies must be application/json, which browsers ask leave for before they send
//     it to another origin; nobody gives it. See fieldsOf.
//   - With a key, every request to the API must have it.
func (s *Server) protect(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		if err := s.check(w, r); err != nil {
			s.answer(func(http.ResponseWriter, *http.Request) *apiError { return err }).ServeHTTP(w, r)
			return
		}
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			w.WriteHeader(http.StatusNoContent) // an origin that check has let pass
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (s *Server) check(w http.ResponseWriter, r *http.Request) *apiError {
	if !s.hostAllowed(r.Host) {
		return fail(http.StatusForbidden, "", "", "the Host header names %.100q: expected localhost or an address of this computer; allow others with --allowed-host", r.Host)
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		switch {
		case slices.Contains(s.Origins, origin):
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", origin)
			h.Add("Vary", "Origin")
			h.Set("Access-Control-Allow-Headers", "authorization, content-type")
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		case !sameOrigin(origin, r):
			return fail(http.StatusForbidden, "", "", "requests of the web page %.100q are refused: allow it with --cors-origin", origin)
		}
	}
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		return nil // a browser asks leave, without the key
	}
	if s.Key != "" && needsKey(r.URL.Path) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		hash := hashKey(given)
		if !ok || subtle.ConstantTimeCompare(hash[:], s.keyHash[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			return fail(http.StatusUnauthorized, "", "invalid_api_key", "the API key is missing or wrong: send it as Authorization: Bearer KEY")
		}
	}
	return nil
}

// needsKey: the page itself and the health check hold no secrets.
func needsKey(path string) bool { return strings.HasPrefix(path, "/v1/") || path == "/metrics" }

func hashKey(key string) [32]byte { return sha256.Sum256([]byte(key)) }

// hostAllowed reports whether a Host header names this computer: localhost, or an
// address, which nobody else can point to it.
func (s *Server) hostAllowed(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(strings.ToLower(strings.TrimSuffix(name, ".")), "[]")
	return name == "localhost" || net.ParseIP(name) != nil || slices.Contains(s.Hosts, name) || slices.Contains(s.Hosts, host)
}

func sameOrigin(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host && (u.Scheme == "http" || u.Scheme == "https")
}
