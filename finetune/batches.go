package finetune

import (
	"math/rand/v2"
)

// Batches is the order in which a training sees its items: each once an epoch, in
// batches of items of similar lengths, all shuffled by a seed.
type Batches struct {
	items []*Item
	// Lengths are those that sequences are padded to; Examples and Sequences are how
	// many of each a batch has at most.
	Lengths             []int
	Examples, Sequences int
	list                []batch // of all epochs, one after another
}

// batch is which items are in it, and in which bucket.
type batch struct {
	bucket int
	items  []int32
}

// NewBatches plans all epochs of batches of size examples. Of examples with several
// sequences a batch has room for as many as size of them have on the average.
func NewBatches(items []*Item, lengths []int, size, epochs int, seed uint64) *Batches {
	b := &Batches{items: items, Lengths: lengths, Examples: size}
	total := 0
	for _, it := range items {
		total += len(it.Sequences)
		b.Sequences = max(b.Sequences, len(it.Sequences))
	}
	b.Sequences = max(b.Sequences, (size*total+len(items)/2)/len(items))
	for epoch := range epochs {
		b.list = append(b.list, b.epoch(rand.New(rand.NewPCG(seed, uint64(epoch))))...)
	}
	return b
}

// epoch deals the items out. What is left in a bucket at the end moves on to the next
// longer one, so one batch at most isn't full.
func (b *Batches) epoch(random *rand.Rand) (list []batch) {
	open := make([][]int32, len(b.Lengths))
	used := make([]int, len(b.Lengths)) // sequences
	add := func(bucket int, i int32) {
		n := len(b.items[i].Sequences)
		if len(open[bucket]) == b.Examples || used[bucket]+n > b.Sequences {
			list = append(list, batch{bucket, open[bucket]})
			open[bucket], used[bucket] = nil, 0
		}
		open[bucket] = append(open[bucket], i)
		used[bucket] += n
	}
	for _, i := range random.Perm(len(b.items)) {
		add(bucketOf(b.Lengths, b.items[i].Length()), int32(i))
	}
	last := len(b.Lengths) - 1
	for bucket := range b.Lengths {
		left := open[bucket]
		switch full := len(left) == b.Examples; {
		case len(left) > 0 && (full || bucket == last):
			list = append(list, batch{bucket, left})
		case bucket < last:
			for _, i := range left {
				add(bucket+1, i)
			}
		}
	}
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// Count is the number of batches of all epochs.
func (b *Batches) Count() int { return len(b.list) }

// At is batch number n; behind the last one comes the first.
func (b *Batches) At(n int) (bucket int, items []*Item) {
	chosen := b.list[n%len(b.list)]
	for _, i := range chosen.items {
		items = append(items, b.items[i])
	}
	return chosen.bucket, items
}
