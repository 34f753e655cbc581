//go:build !linux

package atomicfile

import "os"

// create opens a new file. What ends this process before it is renamed leaves it.
func create(name string) (f *os.File, link func(to string) error, err error) {
	return createNamed(name)
}
