package instruct

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"tinygpt/data/internal/chance"
	"tinygpt/data/story"
)

// Step is what prompts are for.
type Step string

// The three steps of InstructGPT.
const (
	SFT    Step = "SFT" // demonstrations
	Reward Step = "RM"  // comparisons
	PPO    Step = "PPO" // prompts alone
)

// Cell is one line of InstructGPT's table of prompts (Ouyang et al. 2022, table 6).
type Cell struct {
	Step     Step
	Valid    bool // of the validation split
	Customer bool // written by customers; else by labelers
	// Paper is the number of prompts in the paper.
	Paper int
}

// Table is the paper's table.
var Table = []Cell{
	{SFT, false, false, 11295}, {SFT, false, true, 1430}, {SFT, true, false, 1550}, {SFT, true, true, 103},
	{Reward, false, false, 6623}, {Reward, false, true, 26584}, {Reward, true, false, 3488}, {Reward, true, true, 14399},
	{PPO, false, true, 31144}, {PPO, true, true, 16185},
}

// Size is the number of prompts at a scale: that of the paper at 1.
func (c Cell) Size(scale float64) int { return max(int(math.Round(float64(c.Paper)*scale)), 1) }

// World is the built-in world at a scale: prompts for each cell of Table. No two
// prompts begin with the same twenty words, and no customer is in two cells.
type World struct {
	Scale float64
	cells map[Cell][]Prompt
}

// NewWorld writes all prompts. They are a function of seed and scale.
func NewWorld(seed uint64, scale float64) *World {
	w := &World{Scale: scale, cells: map[Cell][]Prompt{}}
	seen := map[string]bool{}
	for i, c := range Table {
		customers := newCustomers(i, c.Size(scale))
		prompts := make([]Prompt, 0, c.Size(scale))
		for index := uint64(0); len(prompts) < c.Size(scale); index++ {
			a := &author{Chooser: chance.New(seed+uint64(i)<<32, index), seed: seed + uint64(i)<<32, index: index, kept: c.Valid}
			task := Tasks[a.Below(uint64(len(Tasks)))]
			if c.Customer {
				task = a.customersTask()
			}
			p, ok := a.write(task)
			if !ok || seen[p.firstWords()] {
				continue
			}
			seen[p.firstWords()] = true
			if c.Customer {
				p.Customer = customers.draw(a)
				a.sloppy(&p)
			}
			prompts = append(prompts, p)
		}
		w.cells[c] = prompts
	}
	return w
}

// Prompts are those of a step's split, labelers' before customers'.
func (w *World) Prompts(step Step, valid bool) (prompts []Prompt) {
	for _, c := range Table {
		if c.Step == step && c.Valid == valid {
			prompts = append(prompts, w.cells[c]...)
		}
	}
	return prompts
}

// customersTask draws a task by the customers' shares.
func (a *author) customersTask() Task {
	n := a.Below(100)
	for _, t := range Tasks {
		if n < shares[t] {
			return t
		}
		n -= shares[t]
	}
	panic("instruct: the tasks' shares are less than a hundred")
}

// mostOfCustomer is how many prompts of one customer there may be (Ouyang et al. 2022,
// section 3.2), usualOfCustomer about how many there are.
const (
	mostOfCustomer  = 200
	usualOfCustomer = 20
)

// customers are those of one cell. How many prompts each has falls as Zipf's law says.
type customers struct {
	first  int // number of the first
	counts []int
	total  uint64
}

// cellCustomers is how many customers' numbers are set aside for each cell.
const cellCustomers = 100000

func newCustomers(cell, prompts int) *customers {
	c := &customers{first: cell*cellCustomers + 1, counts: make([]int, prompts/usualOfCustomer+3)}
	for rank := range c.counts {
		c.total += chance.Zipf(rank)
	}
	return c
}

// draw chooses who asks, of those who have asked less than they may.
func (c *customers) draw(a *author) int {
	for {
		n, rank := a.Below(c.total), 0
		for n >= chance.Zipf(rank) {
			n -= chance.Zipf(rank)
			rank++
		}
		if c.counts[rank] < mostOfCustomer {
			c.counts[rank]++
			return c.first + rank
		}
	}
}

// sloppy writes the last message as customers do: no capital, no full stop, and in a
// tenth of them two letters of a word are swapped. What they quote, a story, and names
// stay as they are.
func (a *author) sloppy(p *Prompt) {
	last := &p.Messages[len(p.Messages)-1].Content
	at := strings.LastIndexByte(*last, '\n') + 1
	quoted, own := (*last)[:at], (*last)[at:]
	words := strings.Split(strings.TrimRight(own, ".?"), " ")
	if a.chanceOf(10) {
		a.misspell(words)
	}
	if people := story.English.Words("person", "word"); !slices.Contains(people, words[0]) {
		words[0] = strings.ToLower(words[0])
	}
	*last = quoted + strings.Join(words, " ")
}

// misspell swaps two letters within one of the words, if one is long enough.
func (a *author) misspell(words []string) {
	i := a.Below(uint64(len(words)))
	for range words {
		if w := []byte(words[i]); len(w) >= 5 && unicode.IsLower(rune(w[0])) {
			k := 1 + a.Below(uint64(len(w)-2))
			w[k], w[k+1] = w[k+1], w[k]
			words[i] = string(w)
			return
		}
		i = (i + 1) % uint64(len(words))
	}
}
