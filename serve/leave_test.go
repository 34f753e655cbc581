package serve

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// 200 clients leave at random points, streaming or not, their texts running or waiting:
// within 100 ms nothing is computed for them, and no goroutine stays. The model's texts
// never end by themselves. They leave in waves, and the time is the median's: on a busy
// machine one of them may take longer.
func TestClientsLeave(t *testing.T) {
	const waves, each = 10, 20
	s, h := start(t, testOptions, speaking(t, "m", strings.Repeat("x", 1<<20), time.Millisecond))
	h.Client().CloseIdleConnections()
	before := goleak.IgnoreCurrent()
	r := rand.New(rand.NewPCG(7, 8))
	var took []time.Duration
	for range waves {
		var group sync.WaitGroup
		for i := range each {
			stay := time.Duration(r.IntN(40)) * time.Millisecond
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), stay)
				defer cancel()
				body, _ := json.Marshal(object{"model": "m", "messages": []object{{"role": "user", "content": strings.Repeat("x", i)}}, "stream": i%2 == 0, "n": 1 + i%3, "max_tokens": 1 << 19})
				r, _ := http.NewRequestWithContext(ctx, "POST", h.URL+"/v1/chat/completions", strings.NewReader(string(body)))
				r.Header.Set("Content-Type", "application/json")
				if resp, err := h.Client().Do(r); err == nil {
					if _, err = io.Copy(io.Discard, resp.Body); err == nil {
						t.Errorf("an answer has ended: %s", resp.Status)
					}
					resp.Body.Close()
				}
			})
		}
		group.Wait()
		left := time.Now()
		quietly(t, s)
		took = append(took, time.Since(left))
	}
	slices.Sort(took)
	t.Logf("after the last client of a wave has left, texts run for up to: %v", took)
	if took[waves/2] > 100*time.Millisecond {
		t.Errorf("texts run on for %v after their clients have left", took[waves/2])
	}
	h.Client().CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

// quietly waits until nothing runs, or fails.
func quietly(t *testing.T, s *Server) {
	t.Helper()
	for range 12000 {
		running, waiting := s.models[0].engine.load()
		if running == 0 && waiting == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("something still runs for clients that have left")
}
