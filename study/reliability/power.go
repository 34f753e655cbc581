//go:build linux

package reliability

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tinygpt/model/safetensors"
)

// Power simulates power cuts: it has strace write down a run's system calls, replays them on a
// disk that forgets what wasn't synced, and checks what is left after each call. The
// checkpoint must be whole, must not go back, and must have metrics up to its step; when the
// run says that it is done, all must be synced. After some of the calls, evenly spaced and as
// many as times says, the run goes on from what is left and is compared with an undisturbed
// one. It needs strace.
func (k Kind) Power(p *Program, r *Report, times int, seed uint64) error {
	return k.power(p, r, times, seed, nil)
}

// PowerBlind checks that Power notices faults: it replays a run on a disk that syncs no file,
// and on one that syncs no folder, and Power must find something wrong with each.
func (k Kind) PowerBlind(p *Program, r *Report, _ int, seed uint64) error {
	for _, what := range []string{"files", "folders"} {
		x := r.row("power cut, "+what+" never synced", k.Name)
		found := &Report{Log: io.Discard}
		if err := k.power(p, found, 0, seed, func(n *node) bool { return n.folder == (what == "folders") }); err != nil {
			return err
		}
		x.times++
		fmt.Fprintf(r.Log, "%s, %s never synced: %d faults are found\n", k.Name, what, found.Wrong())
		if found.Wrong() == 0 {
			r.wrong(x, "nothing is found")
		}
	}
	return nil
}

// power is Power on a disk with that function forgets; see disk. With times 0 no run goes on.
func (k Kind) power(p *Program, r *Report, times int, seed uint64, forgets func(*node) bool) error {
	if _, err := exec.LookPath("strace"); err != nil {
		return fmt.Errorf("power cuts need strace: %w", err)
	}
	if k.server {
		return k.powerServer(p, r, max(times, 3), forgets)
	}
	reference, _, err := k.reference(p)
	if err != nil {
		return err
	}
	x := r.row("power cut", k.Name)
	dir := strings.Replace(reference, "reference", "power", 1)
	whole := filepath.Join(p.Folder, dir)
	if err := os.RemoveAll(whole); err != nil {
		return err
	}
	calls, err := p.traced(words(k.Begin, dir), nil)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(whole); err != nil {
		return err
	}
	d := newDisk()
	d.forgets = forgets
	random := rand.New(rand.NewPCG(seed, 3))
	total := 0
	for _, c := range calls {
		if c.changes() {
			total++
		}
	}
	known := verified{}
	before, every := map[string]int{}, max(1, total/max(1, times))
	for i, c := range calls {
		if c.network {
			if bytes.Contains(c.data, []byte("\ndone:")) {
				if list := d.find(dir).unsynced(dir); len(list) > 0 {
					r.wrong(x, "it says that it is done, and hasn't synced %v", list)
				}
			}
			continue
		}
		if err := d.call(c); err != nil {
			return err
		}
		if !c.changes() || d.find(dir) == nil {
			continue
		}
		for way := range ways {
			n := d.find(dir)
			if way == losesAll {
				n = d.root.durable[dir]
			}
			if n == nil {
				continue
			}
			for folder, at := range n.folders(way, dir) {
				step, problem := checkpoint(at, way, !strings.HasPrefix(k.Name, "vectors"), known)
				was := fmt.Sprint(way, folder)
				// An ablation has one run after the other in the same folder.
				if step < before[was] && problem == "" && k.Name != "ablate" {
					problem = fmt.Sprintf("the checkpoint went back from step %d to %d", before[was], step)
				}
				if problem != "" {
					r.wrong(x, "after call %d of %d, %v, way %d, %s: %s", i, len(calls), c, way, folder, problem)
				}
				before[was] = max(before[was], step)
			}
		}
		x.times++
		if times == 0 || x.times%every != 0 {
			continue
		}
		if err := d.root.after(random.IntN(ways), p.Folder); err != nil {
			return err
		}
		e, err := p.Run(k.next(p, dir)...)
		if err != nil {
			return err
		}
		if !k.through(e) {
			r.wrong(x, "after call %d of %d, %v: %v %s", i, len(calls), c, e, e.Fault())
		}
		x.compared++
		for _, difference := range Compare(filepath.Join(p.Folder, reference), whole) {
			r.wrong(x, "after call %d of %d, %v: %s", i, len(calls), c, difference)
		}
		if err := os.RemoveAll(whole); err != nil {
			return err
		}
	}
	if n := d.find(dir); n != nil {
		if list := n.unsynced(dir); len(list) > 0 {
			r.wrong(x, "it has ended, and hasn't synced %v", list)
		}
	}
	return nil
}

// traced runs a command and returns its system calls. during, unless nil, gets the process
// and its output, and makes it end.
func (p *Program) traced(args []string, during func(*Process, io.Reader) error) ([]call, error) {
	log := filepath.Join(p.Folder, "strace.log")
	defer os.Remove(log)
	words := append(strace(log), p.Path)
	var change func(*exec.Cmd)
	out, stdout := io.Pipe()
	if during != nil {
		change = func(c *exec.Cmd) { c.Stdout = stdout }
	}
	process, err := p.start(exec.Command(words[0], append(words[1:], args...)...), change, args)
	if err != nil {
		return nil, err
	}
	if during != nil {
		if err := during(process, out); err != nil {
			process.Signal(syscall.SIGKILL)
			process.Wait()
			return nil, err
		}
	}
	if e := process.Wait(); e.Status != 0 && during == nil {
		return nil, fmt.Errorf("%v %s", e, e.Fault())
	}
	f, err := os.Open(log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseCalls(f, p.Folder)
}

// checkpoint checks what a power cut leaves of a run's checkpoint and metrics, and returns
// the checkpoint's step, 0 without one, and what is wrong, "" if nothing is. everyStep says
// that each step has a line of metrics.
func checkpoint(n *node, way int, everyStep bool, known verified) (step int, problem string) {
	entries := n.leaves(way)
	file, metrics := entries["last.safetensors"], entries["metrics.jsonl"]
	if file == nil {
		return 0, ""
	}
	step, problem = known.read(file.left(way))
	if problem != "" {
		return 0, problem
	}
	noted := 0
	if metrics != nil {
		noted = lastStep(metrics.left(way))
	}
	if everyStep && noted < step {
		problem = fmt.Sprintf("the checkpoint is of step %d, the last line of metrics of step %d", step, noted)
	}
	return step, problem
}

// verified holds what read has returned for checkpoints, by the address of their bytes: most
// calls change nothing in most runs.
type verified map[stretch]outcome

type stretch struct {
	first  *byte
	length int
}

type outcome struct {
	step    int
	problem string
}

// read returns a checkpoint's step, or what is wrong with it.
func (v verified) read(content []byte) (step int, problem string) {
	if len(content) == 0 {
		return 0, "last.safetensors is empty"
	}
	key := stretch{&content[0], len(content)}
	o, ok := v[key]
	if !ok {
		f, err := safetensors.Parse(bytes.NewReader(content), int64(len(content)), "last.safetensors")
		if err == nil {
			err = f.Verify()
		}
		if err != nil {
			o.problem = err.Error()
		} else {
			o.step, _ = strconv.Atoi(f.Metadata()["step"])
		}
		v[key] = o
	}
	return o.step, o.problem
}

// powerServer is power for a server that is sent rankings, as many as times says: after each
// of its calls what was acknowledged must be there.
func (k Kind) powerServer(p *Program, r *Report, times int, forgets func(*node) bool) error {
	x := r.row("power cut", k.Name)
	const dir = "power-rankings"
	whole := filepath.Join(p.Folder, dir)
	if err := os.RemoveAll(whole); err != nil {
		return err
	}
	if err := os.Mkdir(whole, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(whole)
	calls, err := p.traced(serveArgs(dir), func(process *Process, out io.Reader) error {
		address, err := listening(process, out)
		if err != nil {
			return err
		}
		client := &http.Client{Timeout: 10 * time.Second}
		for n := range times {
			if err := post(client, address, int64(n)); err != nil {
				return err
			}
		}
		// strace's child, not strace, which then ends by itself.
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", process.cmd.Process.Pid))
		if err != nil {
			return err
		}
		for _, child := range strings.Fields(string(children)) {
			pid, _ := strconv.Atoi(child)
			syscall.Kill(pid, syscall.SIGTERM)
		}
		return nil
	})
	if err != nil {
		return err
	}
	d := newDisk()
	d.call(call{name: "mkdirat", path: dir})
	d.root.sync()
	d.forgets = forgets
	acknowledged := map[int64]bool{}
	for i, c := range calls {
		if c.network {
			if bytes.HasPrefix(c.data, []byte("HTTP/1.1 200")) {
				acknowledged[int64(len(acknowledged))] = true
			}
		} else if err := d.call(c); err != nil {
			return err
		}
		x.times++
		for way := range ways {
			for _, problem := range lostRankings(d.find(dir).leaves(way)[rankingsFile].left(way), acknowledged) {
				r.wrong(x, "after call %d of %d, %v, way %d: %s", i, len(calls), c, way, problem)
			}
		}
	}
	if len(acknowledged) != times {
		r.wrong(x, "%d of %d answers were seen", len(acknowledged), times)
	}
	if forgets == nil {
		x.compared++
	}
	return nil
}
