//go:build linux && (amd64 || arm64)

package mpi

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"

	"tinygpt/internal/launcher"
)

// library is an MPI library that was opened, and its functions.
type library struct {
	handle  uintptr
	version string // what it says of itself, first line
	abi     *abi

	world, float32, float64, byte, sum, errorsReturn uintptr

	initThread, commRank, commSize, setErrorHandler, errorString uintptr
	scatter, gather, allreduce, broadcast, test                  uintptr
	duplicate, barrier                                           uintptr
	abort, finalize                                              uintptr
}

// libraryVariable names a library to be opened instead of the launcher's.
const libraryVariable = "GPT_MPI_LIBRARY"

// Names of libraries: those of the two implementations, and the standard ABI's.
var (
	openMPINames  = []string{"libmpi.so.40"}
	mpichNames    = []string{"libmpi.so.12", "libmpich.so.12"}
	standardNames = []string{"libmpi_abi.so.1", "libmpi_abi.so.0"}
)

// candidates are the libraries that may be the launcher's, the likeliest first: a library
// has to be of the same MPI. folders are where the launcher's own libraries may be.
func candidates(j launcher.Job, folders []string) (names []string) {
	if name := os.Getenv(libraryVariable); name != "" {
		return []string{name}
	}
	var all []string
	switch j.By {
	case "OMPI_COMM_WORLD_RANK":
		all = slices.Concat(openMPINames, standardNames)
	case "PMI_RANK":
		all = slices.Concat(mpichNames, standardNames)
	default:
		all = slices.Concat(openMPINames, mpichNames, standardNames)
	}
	for _, folder := range folders {
		for _, name := range all {
			if path := filepath.Join(folder, name); exists(path) {
				names = append(names, path)
			}
		}
	}
	return append(names, all...)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// launcherFolders are the folders of libraries next to the program that started this
// process.
func launcherFolders() []string {
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", os.Getppid()))
	if err != nil {
		return nil
	}
	root := filepath.Dir(filepath.Dir(program))
	return []string{filepath.Join(root, "lib"), filepath.Join(root, "lib64")}
}

// open opens the first of the libraries that there is.
func open(names []string) (*library, error) {
	var failed []string
	for _, name := range names {
		handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err != nil {
			failed = append(failed, err.Error())
			continue
		}
		l := &library{handle: handle}
		return l, l.bind(name)
	}
	if os.Getenv(libraryVariable) != "" {
		return nil, fmt.Errorf("%s: %s", libraryVariable, strings.Join(failed, "; "))
	}
	return nil, fmt.Errorf("no MPI library of the launcher's kind found (%s): install it, or set %s to the path of the launcher's libmpi.so", strings.Join(names, ", "), libraryVariable)
}

// bind finds the functions, and by what the library has, which ABI it is.
func (l *library) bind(name string) error {
	var missing []string
	symbol := func(name string) uintptr {
		p, err := purego.Dlsym(l.handle, name)
		if err != nil {
			missing = append(missing, name)
		}
		return p
	}
	has := func(name string) bool {
		_, err := purego.Dlsym(l.handle, name)
		return err == nil
	}
	version := symbol("MPI_Get_library_version")
	for to, name := range map[*uintptr]string{
		&l.initThread: "MPI_Init_thread", &l.commRank: "MPI_Comm_rank", &l.commSize: "MPI_Comm_size",
		&l.setErrorHandler: "MPI_Comm_set_errhandler", &l.errorString: "MPI_Error_string",
		&l.scatter: "MPI_Ialltoallv", &l.gather: "MPI_Iallgatherv", &l.allreduce: "MPI_Iallreduce",
		&l.broadcast: "MPI_Ibcast", &l.test: "MPI_Test", &l.duplicate: "MPI_Comm_dup", &l.barrier: "MPI_Ibarrier", &l.abort: "MPI_Abort", &l.finalize: "MPI_Finalize",
	} {
		*to = symbol(name)
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("%s has no %s: it is no library of MPI 3 or later", name, strings.Join(missing, ", "))
	}
	switch {
	case has("ompi_mpi_comm_world"):
		l.abi = &openMPI
	case has("MPI_Abi_get_version") && isStandard():
		l.abi = &standard
	default:
		l.abi = &mpich
	}
	for to, h := range map[*uintptr]handle{
		&l.world: l.abi.world, &l.float32: l.abi.float32, &l.float64: l.abi.float64, &l.byte: l.abi.byte,
		&l.sum: l.abi.sum, &l.errorsReturn: l.abi.errorsReturn,
	} {
		if *to = h.value; h.symbol != "" {
			*to = symbol(h.symbol)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s has no %s", name, strings.Join(missing, ", "))
	}
	text, n := make([]byte, 8192), new(int32) // MPI_MAX_LIBRARY_VERSION_STRING is 8192 at most
	call(version, uintptr(unsafe.Pointer(&text[0])), uintptr(unsafe.Pointer(n)))
	l.version = describe(string(text[:max(0, min(int(*n), len(text)))]))
	return nil
}

// describe shortens what a library says of itself to its name and version.
func describe(version string) string {
	var words []string
	for _, line := range strings.Split(strings.TrimRight(version, "\x00"), "\n")[:1] {
		line, _, _ = strings.Cut(line, ",") // Open MPI goes on with who built it
		words = strings.Fields(strings.ReplaceAll(line, "Version:", ""))
	}
	return strings.Join(words, " ")
}

// isStandard says whether the library that was opened is the one of the standard ABI.
// MPICH's own has MPI_Abi_get_version too, so the file's name decides.
func isStandard() bool {
	maps, _ := os.ReadFile("/proc/self/maps")
	return strings.Contains(string(maps), "libmpi_abi.so")
}

// check turns an MPI error code into an error.
func (l *library) check(what string, code int32) error {
	if code == 0 {
		return nil
	}
	text, n := make([]byte, 8192), new(int32)
	call(l.errorString, uintptr(code), uintptr(unsafe.Pointer(&text[0])), uintptr(unsafe.Pointer(n)))
	line, _, _ := strings.Cut(string(text[:max(0, min(int(*n), len(text)))]), "\n")
	return fmt.Errorf("%s: %s", what, line)
}

var errThreads = errors.New("the MPI library was built without support for threads")

//go:uintptrescapes
func call(fn uintptr, args ...uintptr) int32 {
	r, _, _ := purego.SyscallN(fn, args...)
	return int32(r)
}

// Exit ends the process by libc's exit. MPICH 5 tells its launcher that the process has
// ended well in a function that exit calls; without that the launcher kills the others.
func Exit(status int) {
	if exit, err := purego.Dlsym(purego.RTLD_DEFAULT, "exit"); err == nil {
		call(exit, uintptr(status))
	}
	os.Exit(status)
}
