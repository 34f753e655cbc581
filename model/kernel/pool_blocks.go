package kernel

import "sort"

// blockIndex lets one parallel task cover many slices, most of which are short: a task for each
// would take longer. Entry i is the number of fixed-size blocks in slices 0…i, and find maps
// the number of a block among all to its slice and its number there.
type blockIndex []int

// with adds a slice of n elements, in blocks of size elements.
func (l blockIndex) with(n, size int) blockIndex { return append(l, l.pieces()+blocks(n, size)) }

func (l blockIndex) pieces() int {
	if len(l) == 0 {
		return 0
	}
	return l[len(l)-1]
}

// find returns the slice of a piece, and the number of its block in that slice.
func (l blockIndex) find(piece int) (slice, block int) {
	slice = sort.SearchInts(l, piece+1)
	if slice > 0 {
		piece -= l[slice-1]
	}
	return slice, piece
}
