package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// browser is a headless Chromium that is driven through its DevTools protocol, over a
// pair of pipes (chromedevtools.github.io/devtools-protocol).
type browser struct {
	t        *testing.T
	commands *os.File
	messages chan message
	last     int    // number of the last command
	session  string // of the page
	// Complaints are what the page has logged as an error, and Requests what it has
	// asked for beside the first.
	complaints, requests []string
	loaded               bool
}

// message is a result, or an event.
type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Params json.RawMessage `json:"params"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// newBrowser starts a browser with a window of 1280 × 720, and skips the test if the
// machine has none.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{os.Getenv("CHROME"), "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil && path == "" {
			path = p
		}
	}
	if path == "" {
		t.Skip("no Chromium or Chrome in PATH or $CHROME: the page isn't tried in a browser")
	}
	commandsIn, commands, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, answersOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--user-data-dir="+t.TempDir(), "about:blank")
	if os.Getuid() == 0 {
		cmd.Args = append(cmd.Args, "--no-sandbox") // it refuses to run as root otherwise
	}
	cmd.ExtraFiles = []*os.File{commandsIn, answersOut} // its descriptors 3 and 4
	if err := cmd.Start(); err != nil {
		t.Skipf("%s can't be started with pipes here: %v", path, err)
	}
	commandsIn.Close()
	answersOut.Close()
	b := &browser{t: t, commands: commands, messages: make(chan message, 1000)}
	go b.listen(answers)
	t.Cleanup(func() {
		b.send("Browser.close", nil)
		done := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		done.Stop()
		commands.Close()
		answers.Close()
	})
	var target struct{ TargetID, SessionID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &target)
	b.session = target.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": false}, nil)
	return b
}

// listen reads messages, which end in a zero byte.
func (b *browser) listen(r *os.File) {
	defer close(b.messages)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	lines.Split(func(data []byte, end bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, 0); i >= 0 {
			return i + 1, data[:i], nil
		}
		return 0, nil, nil
	})
	for lines.Scan() {
		var m message
		if json.Unmarshal(lines.Bytes(), &m) == nil {
			b.messages <- m
		}
	}
}

func (b *browser) send(method string, params map[string]any) {
	b.last++
	command := map[string]any{"id": b.last, "method": method}
	if params != nil {
		command["params"] = params
	}
	if b.session != "" && method != "Browser.close" {
		command["sessionId"] = b.session
	}
	text, _ := json.Marshal(command)
	b.commands.Write(append(text, 0))
}

// call runs a command and reads its result.
func (b *browser) call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.send(method, params)
	b.wait(method, func(m message) bool {
		if m.ID != b.last {
			return false
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
		}
		return true
	})
}

// wait hears messages until one is what is waited for.
func (b *browser) wait(what string, found func(m message) bool) {
	b.t.Helper()
	timeout := time.After(60 * time.Second)
	for {
		select {
		case m, ok := <-b.messages:
			if !ok {
				b.t.Fatalf("%s: the browser has ended", what)
			}
			b.event(m)
			if found(m) {
				return
			}
		case <-timeout:
			b.t.Fatalf("%s: no answer in a minute", what)
		}
	}
}

// event notes errors and requests.
func (b *browser) event(m message) {
	var p struct {
		Type      string
		Entry     struct{ Level, Text string }
		Request   struct{ URL string }
		Exception json.RawMessage `json:"exceptionDetails"`
	}
	json.Unmarshal(m.Params, &p)
	switch {
	case m.Method == "Page.loadEventFired":
		b.loaded = true
	case m.Method == "Runtime.exceptionThrown",
		m.Method == "Runtime.consoleAPICalled" && slices.Contains([]string{"error", "warning", "assert"}, p.Type),
		m.Method == "Log.entryAdded" && p.Entry.Level == "error":
		b.complaints = append(b.complaints, string(m.Params))
	case m.Method == "Network.requestWillBeSent" && !strings.HasPrefix(p.Request.URL, "data:"):
		b.requests = append(b.requests, p.Request.URL)
	}
}

// open loads a page.
func (b *browser) open(url string) {
	b.t.Helper()
	b.loaded = false
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	for !b.loaded {
		b.wait(url, func(message) bool { return true })
	}
}

// eval evaluates JavaScript in the page and reads its value.
func (b *browser) eval(script string, value any) {
	b.t.Helper()
	var result struct {
		Result    struct{ Value json.RawMessage }
		Exception json.RawMessage `json:"exceptionDetails"`
	}
	b.call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}, &result)
	if result.Exception != nil {
		b.t.Fatalf("%s: %s", script, result.Exception)
	}
	if value == nil {
		return
	}
	if err := json.Unmarshal(result.Result.Value, value); err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
}

// text is what eval says, as text.
func (b *browser) text(script string) string {
	b.t.Helper()
	var value any
	b.eval(script, &value)
	return fmt.Sprint(value)
}

// press presses a key n times, as a user does.
func (b *browser) press(key string, n int) {
	b.t.Helper()
	codes := map[string]int{"Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
	for range n {
		params := map[string]any{"type": "keyDown", "key": key, "windowsVirtualKeyCode": codes[key]}
		if len(key) == 1 {
			params["text"] = key
		}
		b.call("Input.dispatchKeyEvent", params, nil)
		b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "windowsVirtualKeyCode": codes[key]}, nil)
	}
	// What the key has set off, a change of the address included, is done after a frame.
	b.eval("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))", nil)
}
