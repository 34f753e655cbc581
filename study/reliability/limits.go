//go:build linux

package reliability

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Limits has runs of a kind meet a full disk, a limit on the size of files, few file
// handles, closed standard streams, a pipe that nobody reads, a folder that can't be
// written to and one that is removed: they go on, or end with one line and a status that
// isn't 0. What they leave can be gone on with, once there is room again.
func (k Kind) Limits(p *Program, r *Report, times int, _ uint64) error {
	reference, took, err := k.reference(p)
	if err != nil {
		return err
	}
	stem := strings.Replace(reference, "reference", "limited", 1)
	for i := range times {
		// The size of files that are allowed grows from nothing to enough.
		kilobytes := i * 64 / times
		if err := k.limited(p, r, "file-size limit", reference, fmt.Sprintf("%s-size-%d", stem, i), fmt.Sprintf("ulimit -f %d", kilobytes), nil); err != nil {
			return err
		}
		// A disk of its own that fills up: as many kilobytes are free as the run needs, less and more.
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
		// A pipe that nobody reads: the run goes on or says so.
		for fault, line := range map[string]string{
			"16 file handles": "ulimit -n 16", "closed standard streams": "exec 0<&- 1>&- 2>&-", "standard output on a full disk": "exec >/dev/full",
		} {
			if i > 0 {
				break // always the same
			}
			if err := k.limited(p, r, fault, reference, stem+"-"+strings.ReplaceAll(fault, " ", "-"), line, nil); err != nil {
				return err
			}
		}
		if err := k.removed(p, r, fmt.Sprintf("%s-removed-%d", stem, i), time.Duration(float64(took)*float64(i+1)/float64(times+1))); err != nil {
			return err
		}
	}
	return nil
}

// limited makes a run after a line of shell that limits it, then goes on with it without
// the limit, and compares.
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
	if fault == "standard output on a full disk" && e.Status == 0 {
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
