//go:build linux && (amd64 || arm64)

package mpi

// abi is the constants in which MPI libraries differ. There are three families: Open MPI;
// MPICH and what shares its ABI (Intel MPI, MVAPICH, Cray MPICH); and the standard ABI of
// MPI 5, which both may offer in a library of its own.
type abi struct {
	name                               string
	world, float32, float64, byte, sum handle
	errorsReturn                       handle
	inPlace, statusIgnore              uintptr
	serialized                         int32 // MPI_THREAD_SERIALIZED
}

// handle is a number, or the address of the library's object with that symbol.
type handle struct {
	symbol string
	value  uintptr
}

func at(symbol string) handle { return handle{symbol: symbol} }
func is(value uintptr) handle { return handle{value: value} }

// openMPI is from mpi.h of Open MPI 4 and 5.
var openMPI = abi{
	name:  "Open MPI's",
	world: at("ompi_mpi_comm_world"), float32: at("ompi_mpi_float"), float64: at("ompi_mpi_double"),
	byte: at("ompi_mpi_byte"), sum: at("ompi_mpi_op_sum"), errorsReturn: at("ompi_mpi_errors_return"),
	inPlace: 1, statusIgnore: 0, serialized: 2,
}

// mpich is the MPICH ABI of 2013, https://www.mpich.org/abi.
var mpich = abi{
	name:  "MPICH's",
	world: is(0x44000000), float32: is(0x4c00040a), float64: is(0x4c00080b),
	byte: is(0x4c00010d), sum: is(0x58000003), errorsReturn: is(0x54000001),
	inPlace: ^uintptr(0), statusIgnore: 1, serialized: 2,
}

// standard is chapter 20 of MPI 5.0 (2025).
var standard = abi{
	name:  "MPI 5's standard",
	world: is(0x101), float32: is(0x210), float64: is(0x214),
	byte: is(0x247), sum: is(0x21), errorsReturn: is(0x143),
	inPlace: 1, statusIgnore: 0, serialized: 2048,
}
