package finetune

import (
	"fmt"
	"math/rand/v2"
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

// Each epoch has every item once, in batches that hold what they may, all but one of
// them full; seeds and epochs have orders of their own, and a seed the same one again.
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
	order := func(seed uint64) (all []int) {
		b := NewBatches(items, lengths, 8, 2, seed)
		if b.Sequences < 20 || b.Sequences > 28 {
			t.Errorf("room for %d sequences of %d items", b.Sequences, b.Examples)
		}
		for n := range b.Count() {
			bucket, batch := b.At(n)
			sequences := 0
			for _, it := range batch {
				sequences += len(it.Sequences)
				if it.Length() > lengths[bucket] {
					t.Errorf("an item of %d tokens in the bucket of %d", it.Length(), lengths[bucket])
				}
				all = append(all, number[it])
			}
			if len(batch) > 8 || sequences > b.Sequences || len(batch) == 0 {
				t.Errorf("%d items and %d sequences in a batch of %d and %d", len(batch), sequences, b.Examples, b.Sequences)
			}
		}
		return all
	}
	one := order(1)
	if len(one) != 2*len(items) {
		t.Fatalf("%d items in two epochs of %d", len(one), len(items))
	}
	for epoch := range 2 {
		sorted := slices.Clone(one[epoch*len(items):][:len(items)])
		slices.Sort(sorted)
		for i, n := range sorted {
			if n != i {
				t.Fatalf("epoch %d has %v", epoch, sorted)
			}
		}
	}
	if slices.Equal(one[:len(items)], one[len(items):]) || slices.Equal(one, order(2)) || !slices.Equal(one, order(1)) {
		t.Error("the order isn't one of seed and epoch")
	}
	plain := NewBatches(ofLengths(slices.Repeat([]int{5, 30}, 21)...), []int{8, 32}, 8, 1, 1)
	if got := plain.Count(); got != 6 {
		t.Errorf("42 items in %d batches of 8", got)
	}
	if _, first := plain.At(0); fmt.Sprint(first) != fmt.Sprint(func() []*Item { _, again := plain.At(6); return again }()) {
		t.Error("behind the last batch doesn't come the first")
	}
}
