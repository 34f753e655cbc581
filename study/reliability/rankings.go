//go:build linux

package reliability

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// rankingsFile is where a server writes what users think of answers, in the folder of this
// kind.
const rankingsFile = "feedback.jsonl"

// ranking returns the body of the number-th request with a ranking.
func ranking(number int64) string {
	return fmt.Sprintf(`{"model":"sft","prompt":"Tell me number %d.","answers":["The dog is number %d.","Go away."],"ranks":[0,1]}`, number, number)
}

// server is a running `gpt serve` that writes rankings.
type server struct {
	*Process
	address string
}

// serving matches the address in the line in which a server says that it listens.
var serving = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`)

// serve starts a server that appends rankings to a file in dir, and waits until it listens.
func serve(p *Program, dir string) (*server, error) {
	out, stdout := io.Pipe()
	process, err := p.Start(func(c *exec.Cmd) { c.Stdout = stdout }, serveArgs(dir)...)
	if err != nil {
		return nil, err
	}
	address, err := listening(process, out)
	return &server{process, address}, err
}

func serveArgs(dir string) []string {
	return []string{"serve", "--run", "sft", "--addr", "127.0.0.1:0", "--feedback", filepath.Join(dir, rankingsFile)}
}

// listening waits until a server has written its address and returns it; an error if the
// server ends before.
func listening(process *Process, out io.Reader) (string, error) {
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if m := serving.FindStringSubmatch(lines.Text()); m != nil {
				address <- "http://" + m[1]
				break
			}
		}
		io.Copy(io.Discard, out)
	}()
	select {
	case a := <-address:
		return a, nil
	case <-process.done:
		e := process.Wait()
		return "", fmt.Errorf("%v %s", e, e.Fault())
	}
}

// rank sends rankings, one after another, until the server no longer acknowledges them. next
// numbers them; acknowledged is called with the number of each that was acknowledged.
func (s *server) rank(next *atomic.Int64, acknowledged func(int64)) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for {
		n := next.Add(1)
		if post(client, s.address, n) != nil {
			return
		}
		acknowledged(n)
	}
}

// post sends a ranking and returns nil if the server has acknowledged it.
func post(client *http.Client, address string, number int64) error {
	answer, err := client.Post(address+"/v1/feedback", "application/json", strings.NewReader(ranking(number)))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %.200s", answer.StatusCode, text)
	}
	return err
}

// makeRankings writes a file of rankings as a server does.
func makeRankings(p *Program, dir string) error {
	if err := os.MkdirAll(filepath.Join(p.Folder, dir), 0o777); err != nil {
		return err
	}
	var b bytes.Buffer
	for n := range int64(6) {
		fmt.Fprintln(&b, ranking(n))
	}
	return os.WriteFile(filepath.Join(p.Folder, dir, rankingsFile), b.Bytes(), 0o666)
}

// interruptServer is interrupt for servers that two users send rankings to. What was
// acknowledged must be in the file, once and whole.
func (k Kind) interruptServer(p *Program, r *Report, fault string, times int, seed uint64, stop func(*row, *Process, *rand.Rand)) error {
	x := r.row(fault, k.Name)
	random := rand.New(rand.NewPCG(seed, 7))
	const dir = "broken-rankings"
	whole := filepath.Join(p.Folder, dir)
	if err := os.RemoveAll(whole); err != nil {
		return err
	}
	if err := os.MkdirAll(whole, 0o777); err != nil {
		return err
	}
	var next atomic.Int64
	var mu sync.Mutex
	acknowledged := map[int64]bool{}
	for x.times < times {
		s, err := serve(p, dir)
		if err != nil {
			return err
		}
		var users sync.WaitGroup
		for range 2 {
			users.Go(func() {
				s.rank(&next, func(n int64) {
					mu.Lock()
					defer mu.Unlock()
					acknowledged[n] = true
				})
			})
		}
		if !s.Running(time.Duration(random.Float64() * float64(200*time.Millisecond))) {
			r.wrong(x, "%v: ended by itself", s.Wait())
		}
		stop(x, s.Process, random)
		x.times++
		users.Wait()
		text, err := os.ReadFile(filepath.Join(whole, rankingsFile))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		mu.Lock()
		for _, problem := range lostRankings(text, acknowledged) {
			r.wrong(x, "after %d stops: %s", x.times, problem)
		}
		mu.Unlock()
		x.compared++
	}
	return os.RemoveAll(whole)
}

// lostRankings returns a line for each acknowledged ranking that isn't in the file, for each
// that is there twice, and for each line that can't be read, except a last one that is cut
// off: the next ranking replaces it.
func lostRankings(text []byte, acknowledged map[int64]bool) (problems []string) {
	times := map[int64]int{}
	for line := range bytes.Lines(text) {
		var m struct{ Prompt string }
		var n int64
		switch err := json.Unmarshal(line, &m); {
		case err != nil && bytes.HasSuffix(line, []byte("\n")):
			problems = append(problems, fmt.Sprintf("a line that isn't one: %.80q", line))
		case err == nil:
			fmt.Sscanf(m.Prompt, "Tell me number %d.", &n)
			if times[n]++; times[n] > 1 {
				problems = append(problems, fmt.Sprintf("ranking %d is there twice", n))
			}
		}
	}
	for n := range acknowledged {
		if times[n] == 0 {
			problems = append(problems, fmt.Sprintf("ranking %d was acknowledged and is lost", n))
		}
	}
	return problems
}

// fillServer fills the disk of a server that takes rankings. The server must refuse them, go
// on, and take them again once there is room.
func (k Kind) fillServer(p *Program, r *Report) error {
	const dir = "full-rankings"
	whole := filepath.Join(p.Folder, dir)
	if err := os.MkdirAll(whole, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(whole)
	if err := syscall.Mount("tmpfs", whole, "tmpfs", 0, "size=8k"); err != nil {
		fmt.Fprintln(r.Log, "full disk: left out:", err)
		return nil
	}
	defer syscall.Unmount(whole, syscall.MNT_DETACH)
	x := r.row("full disk", k.Name)
	s, err := serve(p, dir)
	if err != nil {
		return err
	}
	defer func() {
		s.Signal(syscall.SIGKILL)
		s.Wait()
	}()
	client := &http.Client{Timeout: 10 * time.Second}
	acknowledged := map[int64]bool{}
	refused := 0
	for n := range int64(400) {
		if err := post(client, s.address, n); err == nil {
			acknowledged[n] = true
			continue
		} else if !strings.Contains(err.Error(), "status 500") { // the log says more
			r.wrong(x, "%v", err)
		}
		if refused++; refused == 3 {
			break
		}
	}
	x.times += refused
	if refused < 3 {
		r.wrong(x, "the disk isn't full after %d rankings", len(acknowledged))
	}
	if err := syscall.Mount("tmpfs", whole, "tmpfs", syscall.MS_REMOUNT, "size=1m"); err != nil {
		return err
	}
	if err := post(client, s.address, 1000); err != nil {
		r.wrong(x, "with room again: %v", err)
	}
	acknowledged[1000] = true
	text, err := os.ReadFile(filepath.Join(whole, rankingsFile))
	if err != nil {
		return err
	}
	for _, problem := range lostRankings(text, acknowledged) {
		r.wrong(x, "%s", problem)
	}
	x.compared++
	return nil
}
