package finetune

import (
	"math/rand/v2"
)

// Batches is the order in which a training sees its items: each once an epoch. An update
// takes Examples · Accumulation items of similar lengths, so that little is padded, and
// divides them into Accumulation batches. How they are divided doesn't change which items
// an update sees. Everything is shuffled by a seed.
type Batches struct {
	items []*Item
	// Lengths are the lengths that sequences are padded to, ascending.
	Lengths []int
	// Examples and Sequences are the maximum numbers of each in a batch.
	Examples, Sequences int
	// Accumulation is the number of batches of an update.
	Accumulation int

	updates []update // of all epochs, one after another
}

// update has the items of one update, and the length that they are padded to.
type update struct {
	bucket int     // index in Lengths
	items  []int32 // indices of items
}

// NewBatches plans all epochs. A batch has size examples, an update accumulation batches. No
// item may be longer than the last of the lengths.
func NewBatches(items []*Item, lengths []int, size, accumulation, epochs int, seed uint64) *Batches {
	b := &Batches{items: items, Lengths: lengths, Examples: size, Accumulation: accumulation}
	for epoch := range epochs {
		b.updates = append(b.updates, b.epoch(rand.New(rand.NewPCG(seed, uint64(epoch))))...)
	}
	for step := range b.updates {
		for micro := range accumulation {
			_, batch := b.At(step, micro)
			sequences := 0
			for _, it := range batch {
				sequences += len(it.Sequences)
			}
			b.Sequences = max(b.Sequences, sequences)
		}
	}
	return b
}

// epoch distributes the items over updates. What is left in a bucket at the end moves on
// to the next longer one, so at most one update isn't full.
func (b *Batches) epoch(random *rand.Rand) (list []update) {
	full := b.Examples * b.Accumulation
	open := make([][]int32, len(b.Lengths))
	add := func(bucket int, i int32) {
		if open[bucket] = append(open[bucket], i); len(open[bucket]) == full {
			list = append(list, update{bucket, open[bucket]})
			open[bucket] = nil
		}
	}
	for _, i := range random.Perm(len(b.items)) {
		add(bucketOf(b.Lengths, b.items[i].Length()), int32(i))
	}
	last := len(b.Lengths) - 1
	for bucket, left := range open[:last] {
		for _, i := range left {
			add(bucket+1, i)
		}
		open[bucket] = nil
	}
	if len(open[last]) > 0 {
		list = append(list, update{last, open[last]})
	}
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// Updates returns the number of updates of all epochs.
func (b *Batches) Updates() int { return len(b.updates) }

// Update returns the items of an update, wrapping around to the first one after the last.
func (b *Batches) Update(step int) []*Item {
	return b.at(step, 0, b.Examples*b.Accumulation)
}

// At returns a batch of an update and the index of its length in Lengths. An update that
// isn't full may have batches without items.
func (b *Batches) At(step, micro int) (bucket int, items []*Item) {
	return b.updates[step%len(b.updates)].bucket, b.at(step, micro*b.Examples, (micro+1)*b.Examples)
}

// at returns items start to end−1 of an update, fewer if it isn't full.
func (b *Batches) at(step, start, end int) (items []*Item) {
	all := b.updates[step%len(b.updates)].items
	for _, i := range all[min(start, len(all)):min(end, len(all))] {
		items = append(items, b.items[i])
	}
	return items
}
