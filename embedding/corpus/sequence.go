package corpus

import (
	"math"
	"slices"
)

// Sequence is a list of tokens, each LineEnd or the number of a word, in two bytes each;
// numbers from 65,534 on, which only rare words have, take six.
type Sequence struct {
	// segments have segmentTokens tokens each; the last one, which grows, may have fewer.
	segments   [][]uint16
	from, size int // the sequence is size tokens of the segments, starting at token from
}

const (
	segmentTokens = 1 << 16
	// A token is written as its number plus 1. If that is escape or more, escape is written,
	// then its upper and lower 16 bits.
	escape = math.MaxUint16
)

// Pack returns tokens as a sequence.
func Pack(tokens []int32) Sequence {
	var s Sequence
	for _, t := range tokens {
		s.push(t)
	}
	return s
}

// push adds a token to a sequence that isn't a part of another.
func (s *Sequence) push(token int32) {
	if s.size%segmentTokens == 0 {
		if n := len(s.segments); n > 0 && len(s.segments[n-1]) > segmentTokens {
			s.segments[n-1] = slices.Clone(s.segments[n-1]) // without the capacity that it grew and doesn't need
		}
		s.segments = append(s.segments, make([]uint16, 0, segmentTokens))
	}
	last := &s.segments[len(s.segments)-1]
	if x := uint32(token + 1); x < escape {
		*last = append(*last, uint16(x))
	} else {
		*last = append(*last, escape, uint16(x>>16), uint16(x))
	}
	s.size++
}

// Len returns the number of tokens.
func (s Sequence) Len() int { return s.size }

// Part returns the tokens from to end−1, which share memory with s.
func (s Sequence) Part(from, end int) Sequence {
	return Sequence{s.segments, s.from + from, end - from}
}

// AppendTo appends tokens from to end−1 to list.
func (s Sequence) AppendTo(list []int32, from, end int) []int32 {
	list = slices.Grow(list, end-from)
	for from < end {
		at := s.from + from
		segment, skip := s.segments[at/segmentTokens], at%segmentTokens
		n := min(end-from, segmentTokens-skip)
		from += n
		if len(segment) == segmentTokens && at/segmentTokens < len(s.segments)-1 { // of two bytes each
			segment, skip = segment[skip:], 0
		}
		for ; skip > 0; skip-- {
			if segment[0] == escape {
				segment = segment[2:]
			}
			segment = segment[1:]
		}
		for ; n > 0; n-- {
			x := int32(segment[0])
			if x == escape {
				x = int32(segment[1])<<16 | int32(segment[2])
				segment = segment[2:]
			}
			segment = segment[1:]
			list = append(list, x-1)
		}
	}
	return list
}

// All returns all tokens in a new list.
func (s Sequence) All() []int32 { return s.AppendTo(nil, 0, s.size) }

// Blocks calls f for one part of the tokens after the other, in order, until f returns false.
// A list is valid until f returns.
func (s Sequence) Blocks(f func(tokens []int32) bool) {
	var list []int32
	for from := 0; from < s.size; from += segmentTokens {
		if list = s.AppendTo(list[:0], from, min(from+segmentTokens, s.size)); !f(list) {
			return
		}
	}
}
