package finetune

import "slices"

// granule is the kernels' block size. Lengths of buckets are multiples of it.
const granule = 8

// maxBuckets bounds the buckets, each of which has a graph: the time to find their lengths grows
// with their number and the square of the lengths that occur.
const maxBuckets = 100

// BucketLengths returns at most n lengths, ascending, to which sequences are padded so that as
// few tokens as possible are padding: the exact optimum over multiples of 8 and the limit, by
// dynamic programming. No length is above the limit; no item may be longer than it.
func BucketLengths(items []*Item, n, limit int) []int {
	count := map[int]int{}
	for _, it := range items {
		count[min((it.Length()+granule-1)/granule*granule, limit)] += len(it.Sequences)
	}
	var lengths, below []int // the candidates, and how many sequences fit into each
	for l := range count {
		lengths = append(lengths, l)
	}
	slices.Sort(lengths)
	total := 0
	for _, l := range lengths {
		total += count[l]
		below = append(below, total)
	}
	// cost[i] is the minimum number of tokens, padding included, of the sequences of the first i
	// candidates in k buckets, the last of which has the i-th length.
	m := len(lengths)
	cost, from := make([]int, m+1), make([][]int, 0, n)
	for i := 1; i <= m; i++ {
		cost[i] = below[i-1] * lengths[i-1]
	}
	from = append(from, make([]int, m+1))
	for k := 1; k < min(n, m); k++ {
		next, best := slices.Clone(cost), make([]int, m+1)
		for i := 1; i <= m; i++ {
			for j := 1; j < i; j++ {
				if c := cost[j] + (below[i-1]-below[j-1])*lengths[i-1]; c < next[i] {
					next[i], best[i] = c, j
				}
			}
			if best[i] == 0 {
				best[i] = -1 // one bucket fewer is as good
			}
		}
		cost, from = next, append(from, best)
	}
	var out []int
	for i, k := m, len(from)-1; i > 0 && k >= 0; k-- {
		if from[k][i] == -1 {
			continue
		}
		out = append(out, lengths[i-1])
		i = from[k][i]
	}
	slices.Reverse(out)
	return out
}

// bucketOf returns the index of the first of the lengths that is n or more.
func bucketOf(lengths []int, n int) int {
	i, _ := slices.BinarySearch(lengths, n)
	return i
}
