package align

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// order has the indices of the items in each batch of a training.
type order [][]int

// neighbours is the number of batches whose items are sorted by length together.
const neighbours = 16

// newOrder returns batches of size items of similar lengths, in random order, every item once
// in each epoch.
func newOrder(lengths []int, size, epochs int, seed uint64) (list order) {
	for epoch := range epochs {
		random := rand.New(rand.NewPCG(seed, uint64(epoch)))
		items := random.Perm(len(lengths))
		for part := range slices.Chunk(items, size*neighbours) {
			slices.SortStableFunc(part, func(a, b int) int { return cmp.Compare(lengths[a], lengths[b]) })
		}
		batches := slices.Collect(slices.Chunk(items, size))
		random.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
		list = append(list, batches...)
	}
	return list
}

// at returns batch number n, from 0; after the last one comes the first.
func (o order) at(n int) []int { return o[n%len(o)] }
