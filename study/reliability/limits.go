//go:build linux

package reliability

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Limits starts runs of a kind with a full disk, a limit on the size of files, few file
// handles, closed standard streams, a pipe that nobody reads, a folder that can't be written
// to and one that is removed, and two at once in one folder. Each must go on, or end with one
// line and a status other than 0, and the next command must be able to go on from what is
// left once the limit is gone. It tries as many sizes of disks and files as times says, and
// removes a folder and starts two commands at once as often.
func (k Kind) Limits(p *Program, r *Report, times int, _ uint64) error {
	if k.server {
		return k.fillServer(p, r)
	}
	reference, took, err := k.reference(p)
	if err != nil {
		return err
	}
	stem := strings.Replace(reference, "reference", "limited", 1)
	for i := range times {
		// The allowed size of files grows from nothing to enough.
		kilobytes := i * 64 / times
		if err := k.limited(p, r, "file-size limit", reference, fmt.Sprintf("%s-size-%d", stem, i), fmt.Sprintf("ulimit -f %d", kilobytes), nil); err != nil {
			return err
		}
		// A disk of its own, which is too small for the run at first and large enough at last.
		if os.Geteuid() == 0 {
			dir := fmt.Sprintf("%s-disk-%d", stem, i)
			whole := filepath.Join(p.Folder, dir)
			if err := os.MkdirAll(whole, 0o777); err != nil {
				return err
			}
			if err := syscall.Mount("tmpfs", whole, "tmpfs", 0, fmt.Sprintf("size=%dk", 16+i*400/times)); err != nil {
				fmt.Fprintln(r.Log, "full disk: left out:", err)
			} else {
				err := k.limited(p, r, "full disk", reference, dir, ":", func() { syscall.Mount("tmpfs", whole, "tmpfs", syscall.MS_REMOUNT, "size=64m") })
				syscall.Unmount(whole, syscall.MNT_DETACH)
				if err != nil {
					return err
				}
			}
		}
		for fault, line := range map[string]string{
			"closed standard streams": "exec 0<&- 1>&- 2>&-", "standard output on a full disk": "exec >/dev/full",
			// A pipe whose reader has gone, for a program that ignores SIGPIPE.
			"broken pipe": "trap '' PIPE; exec > >(:); sleep 0.2",
		} {
			if i > 0 {
				break // always the same
			}
			if err := k.limited(p, r, fault, reference, stem+"-"+strings.ReplaceAll(fault, " ", "-"), line, nil); err != nil {
				return err
			}
		}
		for handles := 4; handles <= 16 && i == 0; handles++ {
			if err := k.limited(p, r, "4 to 16 file handles", reference, fmt.Sprintf("%s-handles-%d", stem, handles), fmt.Sprintf("ulimit -n %d", handles), nil); err != nil {
				return err
			}
		}
		if err := k.together(p, r, reference, fmt.Sprintf("%s-together-%d", stem, i)); err != nil {
			return err
		}
		if i == 0 {
			if err := k.readOnly(p, r, stem+"-read-only"); err != nil {
				return err
			}
		}
		if err := k.removed(p, r, fmt.Sprintf("%s-removed-%d", stem, i), time.Duration(float64(took)*float64(i+1)/float64(times+1))); err != nil {
			return err
		}
	}
	return nil
}

// limited makes a run after a line of shell that limits it, then goes on with it without the
// limit, and compares it with the reference. more, unless nil, is called in between.
func (k Kind) limited(p *Program, r *Report, fault, reference, dir, line string, more func()) error {
	x := r.row(fault, k.Name)
	process, err := p.shell(line, k.next(p, dir)...)
	if err != nil {
		return err
	}
	e := process.Wait()
	x.times++
	closed := fault == "closed standard streams"
	if f := e.Fault(); f != "" && !(closed && f == "fails without a message") {
		r.wrong(x, "%s: %v: %s", line, e, f)
	} else if n := strings.Count(lastLines(e.Stderr), "\n"); e.Status != 0 && n > 0 {
		r.wrong(x, "%s: %d lines of error: %v", line, n+1, e)
	}
	if unheard := fault == "standard output on a full disk" || fault == "broken pipe"; unheard && e.Status == 0 {
		r.wrong(x, "%v: nobody has seen what it said", e)
	}
	if more != nil {
		more()
	}
	e, err = p.Run(k.next(p, dir)...)
	if err != nil {
		return err
	}
	if !k.through(e) {
		r.wrong(x, "%s, and then without: %v %s", line, e, e.Fault())
		return nil
	}
	x.compared++
	differences := Compare(filepath.Join(p.Folder, reference), filepath.Join(p.Folder, dir))
	for _, d := range differences {
		r.wrong(x, "%s: %s: %s", line, dir, d)
	}
	if len(differences) == 0 && more == nil {
		os.RemoveAll(filepath.Join(p.Folder, dir))
	}
	return nil
}

// removed removes a run's folder while it is being made.
func (k Kind) removed(p *Program, r *Report, dir string, after time.Duration) error {
	x := r.row("folder removed in the middle", k.Name)
	process, err := p.Start(nil, k.next(p, dir)...)
	if err != nil {
		return err
	}
	process.Running(after)
	os.RemoveAll(filepath.Join(p.Folder, dir))
	e := process.Wait()
	x.times++
	if f := e.Fault(); f != "" {
		r.wrong(x, "%v: %s", e, f)
	}
	return os.RemoveAll(filepath.Join(p.Folder, dir))
}

// together starts two processes at once in one new folder: one makes the run, the other is
// refused in one line.
func (k Kind) together(p *Program, r *Report, reference, dir string) error {
	x := r.row("two starts at once in one folder", k.Name)
	var both [2]*Process
	for i := range both {
		var err error
		if both[i], err = p.Start(nil, words(k.Begin, dir)...); err != nil {
			return err
		}
	}
	x.times++
	won := 0
	for _, process := range both {
		e := process.Wait()
		switch {
		case e.Fault() != "":
			r.wrong(x, "%v: %s", e, e.Fault())
		case e.Status == 0:
			won++
		case e.Status != 1 || strings.Contains(lastLines(e.Stderr), "\n") || !slices.ContainsFunc(k.taken(), func(says string) bool { return strings.Contains(e.Stderr, says) }):
			r.wrong(x, "%v", e)
		}
	}
	// A command that finds what another one has just made may have nothing left to do.
	if won == 0 || won == 2 && k.Resume != "" {
		r.wrong(x, "%d of 2 processes have made %s", won, dir)
	}
	x.compared++
	differences := Compare(filepath.Join(p.Folder, reference), filepath.Join(p.Folder, dir))
	for _, d := range differences {
		r.wrong(x, "%s: %s", dir, d)
	}
	if len(differences) > 0 {
		return nil
	}
	return os.RemoveAll(filepath.Join(p.Folder, dir))
}

// taken are parts of the messages of a command whose folder another one has taken.
func (k Kind) taken() []string {
	list := []string{"in use by process", "holds a run already"}
	if k.Done != "" {
		list = append(list, k.Done)
	}
	return list
}

// readOnly starts a run in a folder that can't be written to.
func (k Kind) readOnly(p *Program, r *Report, dir string) error {
	x := r.row("read-only folder", k.Name)
	whole := filepath.Join(p.Folder, dir)
	if err := os.MkdirAll(whole, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(whole)
	if os.Geteuid() == 0 { // whom permissions don't stop
		if err := syscall.Mount("tmpfs", whole, "tmpfs", syscall.MS_RDONLY, "size=64k"); err != nil {
			fmt.Fprintln(r.Log, "read-only folder: left out:", err)
			return nil
		}
		defer syscall.Unmount(whole, syscall.MNT_DETACH)
	} else if err := os.Chmod(whole, 0o555); err != nil {
		return err
	}
	e, err := p.Run(words(k.Begin, dir)...)
	if err != nil {
		return err
	}
	x.times++
	if f := e.Fault(); f != "" {
		r.wrong(x, "%v: %s", e, f)
	} else if e.Status != 1 || strings.Contains(lastLines(e.Stderr), "\n") {
		r.wrong(x, "%v", e)
	}
	return nil
}
