package kernel

import "sort"

// listed numbers the blocks of a list of slices through: they are the pieces of one task,
// which takes less time than a task for each slice, most of which are short. It has the
// number of blocks up to each slice's end.
type listed []int

// with adds a slice of n elements in blocks of so many.
func (l listed) with(n, size int) listed { return append(l, l.pieces()+blocks(n, size)) }

func (l listed) pieces() int {
	if len(l) == 0 {
		return 0
	}
	return l[len(l)-1]
}

// find returns the slice of a piece, and the number of its block there.
func (l listed) find(piece int) (slice, block int) {
	slice = sort.SearchInts(l, piece+1)
	if slice > 0 {
		piece -= l[slice-1]
	}
	return slice, piece
}
