package atlas

import (
	"fmt"

	"tinygpt/embedding"
	"tinygpt/embedding/project"
	"tinygpt/embedding/query"
)

// Choice is the words to draw: their rows, without duplicates, and what is drawn of them.
type Choice struct {
	Rows   []int
	Groups []string
	Lines  [][2]int // numbers in Rows

	groups []int
	places map[int]int // of a row in Rows
}

func (c *Choice) add(row, group int) int {
	place, ok := c.places[row]
	if !ok {
		place = len(c.Rows)
		if c.places == nil {
			c.places = map[int]int{}
		}
		c.places[row] = place
		c.Rows, c.groups = append(c.Rows, row), append(c.groups, group)
	}
	return place
}

// First chooses the first n words of the vocabulary, the most frequent ones.
func First(v *embedding.Vectors, n int) *Choice {
	c := &Choice{}
	for row := range min(n, len(v.Words)) {
		c.add(row, -1)
	}
	return c
}

// Around chooses words and the n nearest of each, which make a group with it. A word that
// is near two of them is in the group of the first.
func Around(s *query.Space, words []string, n int) (*Choice, error) {
	c := &Choice{Groups: words}
	for g, w := range words { // these first: their labels are kept
		row, err := s.Find(w)
		if err != nil {
			return nil, err
		}
		c.add(row, g)
	}
	for g, w := range words {
		near, err := s.Neighbours(w, n)
		if err != nil {
			return nil, err
		}
		for _, a := range near {
			row, err := s.Find(a.Word)
			if err != nil {
				return nil, err
			}
			c.add(row, g)
		}
	}
	return c, nil
}

// Pairs chooses pairs of words, with a line between the two: the first of all pairs are a
// group, and the second.
func Pairs(s *query.Space, pairs [][2]string) (*Choice, error) {
	c := &Choice{}
	for _, p := range pairs {
		var line [2]int
		for i, w := range p {
			row, err := s.Find(w)
			if err != nil {
				return nil, err
			}
			line[i] = c.add(row, i)
		}
		c.Lines = append(c.Lines, line)
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("no pairs of words")
	}
	return c, nil
}

// Unit returns the chosen words' unit vectors.
func (c *Choice) Unit(s *query.Space) project.Matrix {
	m := project.Matrix{Rows: len(c.Rows), Dim: s.Dim}
	for _, row := range c.Rows {
		m.Values = append(m.Values, s.Unit(row)...)
	}
	return m
}

// New puts the chosen words at their places, with the nearest words of each.
func New(v *embedding.Vectors, s *query.Space, c *Choice, places []project.Point, nearest int) (*Map, error) {
	m := &Map{Lines: c.Lines, Groups: c.Groups}
	for i, row := range c.Rows {
		w := Word{Text: v.Words[row], Place: places[i], Group: c.groups[i]}
		if v.Counts != nil {
			w.Count = v.Counts[row]
		}
		near, err := s.Neighbours(w.Text, nearest)
		if err != nil {
			return nil, err
		}
		for _, a := range near {
			w.Near = append(w.Near, Neighbour{a.Word, a.Score})
		}
		m.Words = append(m.Words, w)
	}
	return m, nil
}
