package finetune

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// ofLengths makes items with a sequence of each length.
func ofLengths(lengths ...int) (items []*Item) {
	for _, n := range lengths {
		items = append(items, &Item{Sequences: [][]int32{make([]int32, n)}})
	}
	return items
}

// The lengths are the best there are: no other choice of multiples of 8 pads less.
func TestBucketLengths(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	cost := func(items []*Item, lengths []int) (sum int) {
		for _, it := range items {
			sum += lengths[bucketOf(lengths, it.Length())]
		}
		return sum
	}
	for range 50 {
		var list []int
		for range 1 + random.IntN(30) {
			list = append(list, 1+random.IntN(50))
		}
		items := ofLengths(list...)
		n := 1 + random.IntN(3)
		got := BucketLengths(items, n, 52)
		if len(got) > n || !slices.IsSorted(got) {
			t.Fatalf("%d buckets for %v: %v", n, list, got)
		}
		best := cost(items, []int{52})
		all := []int{8, 16, 24, 32, 40, 48, 52}
		for chosen := range 1 << len(all) {
			var lengths []int
			for i, l := range all {
				if chosen>>i&1 == 1 {
					lengths = append(lengths, l)
				}
			}
			if len(lengths) > 0 && len(lengths) <= n && lengths[len(lengths)-1] >= slices.Max(list) {
				best = min(best, cost(items, lengths))
			}
		}
		if c := cost(items, got); c != best {
			t.Errorf("%d buckets for %v: %v cost %d, the best %d", n, list, got, c, best)
		}
	}
	if got := BucketLengths(ofLengths(3, 60), 4, 60); !slices.Equal(got, []int{8, 60}) {
		t.Errorf("buckets %v", got)
	}
}

// Each epoch has every item once; seeds and epochs have orders of their own, and a seed
// the same one again. An update sees the same items however it is divided, and batches
// hold what they may.
func TestBatches(t *testing.T) {
	var items []*Item
	random := rand.New(rand.NewPCG(2, 2))
	for range 103 {
		it := &Item{}
		for range 2 + random.IntN(3) {
			it.Sequences = append(it.Sequences, make([]int32, 1+random.IntN(60)))
		}
		items = append(items, it)
	}
	number := map[*Item]int{}
	for i, it := range items {
		number[it] = i
	}
	lengths := BucketLengths(items, 3, 64)
	order := func(size, accumulation int, seed uint64) (updates [][]int) {
		b := NewBatches(items, lengths, size, accumulation, 2, seed)
		partial := 0
		for step := range b.Updates() {
			var update []int
			for micro := range accumulation {
				bucket, batch := b.At(step, micro)
				sequences := 0
				for _, it := range batch {
					sequences += len(it.Sequences)
					if it.Length() > lengths[bucket] {
						t.Errorf("an item of %d tokens in the bucket of %d", it.Length(), lengths[bucket])
					}
					update = append(update, number[it])
				}
				if len(batch) > size || sequences > b.Sequences {
					t.Errorf("%d items and %d sequences in a batch of %d and %d", len(batch), sequences, b.Examples, b.Sequences)
				}
			}
			if len(update) != size*accumulation {
				partial++
			}
			if whole := b.Update(step); len(whole) != len(update) || number[whole[0]] != update[0] {
				t.Errorf("update %d has %d items in its batches and %d in all", step, len(update), len(whole))
			}
			updates = append(updates, update)
		}
		if partial > 2 {
			t.Errorf("%d updates of two epochs aren't full", partial)
		}
		return updates
	}
	one := order(8, 1, 1)
	flat := slices.Concat(one...)
	if len(flat) != 2*len(items) || len(one) != 2*13 {
		t.Fatalf("%d items in %d updates, of two epochs of %d", len(flat), len(one), len(items))
	}
	for epoch := range 2 {
		seen := slices.Concat(one[13*epoch : 13*(epoch+1)]...)
		slices.Sort(seen)
		for i, n := range seen {
			if n != i {
				t.Fatalf("epoch %d has %v", epoch, seen)
			}
		}
	}
	for _, division := range [][2]int{{4, 2}, {2, 4}, {1, 8}} {
		if other := order(division[0], division[1], 1); !reflect.DeepEqual(other, one) {
			t.Errorf("%d × %d examples are others than 1 × 8", division[1], division[0])
		}
	}
	if reflect.DeepEqual(one, order(8, 1, 2)) || !reflect.DeepEqual(one, order(8, 1, 1)) || slices.Equal(one[0], one[13]) {
		t.Error("the order isn't one of seed and epoch")
	}
	b := NewBatches(items, lengths, 8, 1, 2, 1)
	if _, again := b.At(b.Updates(), 0); number[again[0]] != one[0][0] {
		t.Error("after the last batch doesn't come the first")
	}
}
