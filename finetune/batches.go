package finetune

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// Batches is the order in which a training sees its items: each once an epoch, shuffled
// by a seed. An update takes the next Examples · Accumulation items of that order, the
// last one what is left. Within an update they are sorted by length and divided into
// Accumulation batches, so little is padded, and how many batches an update is divided
// into doesn't change which items it sees.
type Batches struct {
	items []*Item
	// Lengths are those that sequences are padded to.
	Lengths []int
	// Examples and Sequences are the maximum of each in a batch.
	Examples, Sequences int
	// Accumulation is the number of batches of an update.
	Accumulation int

	order []int32 // indices of items, of all epochs
}

// NewBatches plans all epochs of batches of size examples, accumulation of them to an
// update.
func NewBatches(items []*Item, lengths []int, size, accumulation, epochs int, seed uint64) *Batches {
	b := &Batches{items: items, Lengths: lengths, Examples: size, Accumulation: accumulation}
	for epoch := range epochs {
		for _, i := range rand.New(rand.NewPCG(seed, uint64(epoch))).Perm(len(items)) {
			b.order = append(b.order, int32(i))
		}
	}
	perUpdate := size * accumulation
	for start := 0; start < len(b.order); start += perUpdate {
		update := b.order[start:min(start+perUpdate, len(b.order))]
		slices.SortStableFunc(update, func(i, j int32) int { return cmp.Compare(items[i].Length(), items[j].Length()) })
		for batch := range slices.Chunk(update, size) {
			sequences := 0
			for _, i := range batch {
				sequences += len(items[i].Sequences)
			}
			b.Sequences = max(b.Sequences, sequences)
		}
	}
	return b
}

// Updates is the number of updates of all epochs.
func (b *Batches) Updates() int {
	perUpdate := b.Examples * b.Accumulation
	return (len(b.order) + perUpdate - 1) / perUpdate
}

// Update returns the items of an update, wrapping around to the first one after the last.
func (b *Batches) Update(step int) []*Item {
	perUpdate := b.Examples * b.Accumulation
	start := step % b.Updates() * perUpdate
	return b.at(start, start+perUpdate)
}

// At returns a batch of an update and the index of its length in Lengths. The last
// update may have batches without items.
func (b *Batches) At(step, micro int) (bucket int, items []*Item) {
	start := step%b.Updates()*b.Examples*b.Accumulation + micro*b.Examples
	items = b.at(start, start+b.Examples)
	if len(items) > 0 { // the last one is the longest
		bucket = bucketOf(b.Lengths, items[len(items)-1].Length())
	}
	return bucket, items
}

func (b *Batches) at(start, end int) (items []*Item) {
	for _, i := range b.order[min(start, len(b.order)):min(end, len(b.order))] {
		items = append(items, b.items[i])
	}
	return items
}
